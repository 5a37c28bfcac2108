#include "serving.h"

#include "base/expected.h"
#ifdef DARKTAP_WITH_UI
#include "web/server.h"
#endif

namespace darktap::cli {

#ifdef DARKTAP_WITH_UI

struct Serving::State {
  web::Server server;
};

Serving::Serving(const std::string& store, const std::string& listen) : state_(new State{web::Server({.store = store, .listen = listen})}) {}
void Serving::start() { state_->server.start(); }
std::string Serving::url() const { return state_->server.url(); }

#else

struct Serving::State {};

Serving::Serving(const std::string&, const std::string&) {}
void Serving::start() {}
std::string Serving::url() const { return {}; }

#endif

Serving::~Serving() = default;

}  // namespace darktap::cli
