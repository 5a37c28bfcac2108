#include "answer_storage.h"

#include <utility>

#include "client/connection.h"

namespace darktap::client {

std::unique_ptr<mysql::ResponseDecoder> AnswerStorage::take() {
  std::unique_ptr<mysql::ResponseDecoder> decoder;
  if (decoders.empty()) {
    decoder = std::make_unique<mysql::ResponseDecoder>();
  } else {
    decoder = std::move(decoders.back());
    decoders.pop_back();
  }
  if (!answers.empty()) {
    decoder->recycle(answers.back());
    answers.pop_back();
  }
  return decoder;
}

void AnswerStorage::give_back(std::unique_ptr<mysql::ResponseDecoder> decoder) {
  if (decoders.size() < most_decoders) decoders.push_back(std::move(decoder));
}

AnswerStorage& of_this_thread() {
  thread_local AnswerStorage storage;
  return storage;
}

void recycle(mysql::Answer& answer) {
  const mysql::ResultSet* rows = answer.first_rows();
  if (rows != nullptr && rows->rows.capacity() > AnswerStorage::largest_rows) return;
  std::vector<mysql::Answer>& kept = of_this_thread().answers;
  if (kept.size() < AnswerStorage::most_answers) kept.push_back(std::move(answer));
}

}  // namespace darktap::client
