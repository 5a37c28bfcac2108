#include "client/asker.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <vector>

namespace darktap::client {

struct Asker::State final : SessionHandler {
  struct Question {
    std::string schema;
    std::uint16_t collation = 0;
    mysql::Command command;
    Answered answered;
    Variables variables;
  };
  struct Desk {
    std::unique_ptr<ServerSession> session;
    std::optional<Question> question;  // being asked
    Variables variables;               // what the connection stands in, beside its login
    std::vector<std::string> before;   // run before the question: what must change for it
  };

  State(EventLoop& loop_, const AskerOptions& options_)
      : loop(loop_), limit(options_.waiting), session_options(std::make_shared<SessionOptions>(options_.session)) {
    for (std::size_t i = 0; i < std::max<std::size_t>(options_.connections, 1); ++i)
      desks.push_back({std::make_unique<ServerSession>(loop, *this, session_options), std::nullopt, {}, {}});
  }

  void ask(Question&& question) {
    for (Desk& desk : desks)
      if (!desk.question) return begin(desk, std::move(question));
    queue.push_back(std::move(question));
  }

  void begin(Desk& desk, Question&& question) {
    desk.question = std::move(question);
    if (!desk.session->connected()) desk.variables.clear();
    change(desk, desk.question->variables);
    desk.session->start({&desk.question->command, desk.question->schema, desk.question->collation, desk.before});
  }

  static std::string set(const std::string& name, const std::string& value) { return (name.starts_with('@') ? "SET " : "SET SESSION ") + name + " = " + value; }

  static void change(Desk& desk, const Variables& wanted) {
    desk.before.clear();
    for (const auto& [name, value] : desk.variables)
      if (!wanted.contains(name)) desk.before.push_back(set(name, name.starts_with('@') ? "NULL" : "DEFAULT"));
    for (const auto& [name, value] : wanted)
      if (auto stands = desk.variables.find(name); stands == desk.variables.end() || stands->second != value) desk.before.push_back(set(name, value));
    desk.variables = wanted;
  }

  void on_result(ServerSession& session, SessionResult&& result) override {
    for (Desk& desk : desks) {
      if (desk.session.get() != &session) continue;
      Question question = std::move(*desk.question);
      desk.question.reset();
      if (!queue.empty()) {
        Question next = std::move(queue.front());
        queue.pop_front();
        begin(desk, std::move(next));
      }
      return question.answered(to_answer(std::move(result)));
    }
  }

  static Expected<Reply, std::string> to_answer(SessionResult&& result) {
    if (auto* reply = std::get_if<SessionReply>(&result)) return std::move(reply->reply);
    if (auto* failed = std::get_if<ConnectFailed>(&result)) return Unexpected(failed->reason);
    if (auto* lost = std::get_if<Lost>(&result)) return Unexpected(lost->reason);
    return Unexpected(std::get<NotSendable>(result).reason);
  }

  EventLoop& loop;
  std::size_t limit;
  std::shared_ptr<const SessionOptions> session_options;
  std::vector<Desk> desks;
  std::deque<Question> queue;
};

Asker::Asker(EventLoop& loop, const AskerOptions& options) : state_(std::make_unique<State>(loop, options)) {}
Asker::~Asker() = default;

void Asker::ask(std::string schema, std::uint16_t collation, mysql::Command command, Answered answered, Variables variables) {
  if (state_->queue.size() >= state_->limit) {
    std::string reason = state_->session_options->connect.name + ": " + std::to_string(state_->limit) + " questions wait already";
    state_->loop.after({}, [reason, answered = std::move(answered)] { answered(Unexpected(reason)); });
    return;
  }
  state_->ask({std::move(schema), collation, std::move(command), std::move(answered), std::move(variables)});
}

std::size_t Asker::waiting() const {
  std::size_t count = state_->queue.size();
  for (const State::Desk& desk : state_->desks) count += desk.question ? 1 : 0;
  return count;
}

std::vector<Endpoint> Asker::local_endpoints() const {
  std::vector<Endpoint> endpoints;
  for (const State::Desk& desk : state_->desks)
    if (desk.session->connected()) endpoints.push_back(desk.session->connection()->local_endpoint());
  return endpoints;
}

}  // namespace darktap::client
