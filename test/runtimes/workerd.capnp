using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [ (name = "main", worker = .smoke) ],
  sockets = [ (name = "http", address = "127.0.0.1:0", http = (), service = "main") ],
);

# These two lines are what docs/runtimes.md asks for.
const smoke :Workerd.Worker = (
  modules = [ (name = "worker", esModule = embed "workerd.mjs") ],
  compatibilityDate = "2024-09-23",
  compatibilityFlags = [ "nodejs_compat" ],
);
