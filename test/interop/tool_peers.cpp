#include "tool_peers.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <stdexcept>

namespace cotls::test {

namespace asio = boost::asio;

namespace {

constexpr char python_program[] = R"(
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
listener = socket.create_server(("127.0.0.1", 0))
print("port", listener.getsockname()[1], flush=True)
with context.wrap_socket(listener, server_side=True) as tls:
    peer, _ = tls.accept()
    text = b""
    while part := peer.recv(65536):
        text += part
    peer.sendall(text.upper())
    peer.unwrap()
)";

constexpr char curt_python_program[] = R"(
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
listener = socket.create_server(("127.0.0.1", 0))
print("port", listener.getsockname()[1], flush=True)
with context.wrap_socket(listener, server_side=True) as tls:
    while True:
        peer, _ = tls.accept()
        peer.sendall(b"all there is")
        peer.shutdown(socket.SHUT_WR)
        while peer.recv(65536):
            pass
        peer.close()
)";

constexpr char node_https_program[] = R"(
const fs = require('fs'), https = require('https');
const [chain, key] = process.argv.slice(1).map(file => fs.readFileSync(file));
const server = https.createServer({cert: chain, key}, (request, answer) => {
  setTimeout(() => answer.end('a late answer'), 200);
});
server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));
)";

constexpr char node_program[] = R"(
const fs = require('fs'), tls = require('tls');
const [chain, key] = process.argv.slice(1).map(file => fs.readFileSync(file));
const server = tls.createServer({cert: chain, key, allowHalfOpen: true}, peer => {
  let text = '';
  peer.on('data', part => text += part);
  peer.on('end', () => peer.end(text.toUpperCase()));
});
server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));
)";

std::string nginx_configuration(std::string const& directory, int port) {
  std::string text =
      "daemon off;\nmaster_process off;\npid " + directory + "/nginx.pid;\n"
      "error_log stderr notice;\nevents {}\nhttp {\n  access_log off;\n"
      "  types { text/html html; }\n";
  for (char const* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    text += std::string("  ") + kind + "_temp_path " + directory + ";\n";
  }
  return text + "  server {\n    listen 127.0.0.1:" + std::to_string(port) + " ssl http2;\n" +
         "    ssl_certificate chain.pem;\n    ssl_certificate_key key.pem;\n    root " +
         directory + ";\n  }\n}\n";
}

words nginx_command(temporary_directory const& directory, int port) {
  auto const& who = certificates::all().localhost.pem;
  directory.write("chain.pem", who.chain());
  directory.write("key.pem", who.key);
  directory.write("index.html", nginx_server::page);
  std::string const path = directory.path().string();
  return {"nginx", "-e", "stderr", "-p", path, "-c",
          directory.write("nginx.conf", nginx_configuration(path, port))};
}

}  // namespace

int free_port() {
  asio::io_context context;
  asio::ip::tcp::acceptor const bound(context, {asio::ip::address_v4::loopback(), 0});
  return bound.local_endpoint().port();
}

peer_server::peer_server(words command, std::string const& line_before_port)
    : process_(std::move(command)), port_(std::stoi(process_.line_after(line_before_port))) {}

peer_server::peer_server(words command, int port, std::string const& ready)
    : process_(std::move(command)), port_(port) {
  if (!process_.prints(ready)) throw std::runtime_error("no server: " + process_.errors());
}

openssl_server::openssl_server(words const& more, entity const& who)
    : peer_server(words{"openssl", "s_server", "-accept", "127.0.0.1:0", "-no-CApath",
                        "-no-CAstore", "-cert", who.files.certificate, "-key", who.files.key,
                        "-cert_chain", who.files.intermediates} + more,
                  "ACCEPT 127.0.0.1:") {}

gnutls_server::gnutls_server(chain_files const& files, int port)
    : peer_server({"gnutls-serv", "--echo", "--port", std::to_string(port), "--x509certfile",
                   files.chain, "--x509keyfile", files.key},
                  port, "listening on IPv4") {}

nginx_server::nginx_server(temporary_directory const& directory, int port)
    : peer_server(nginx_command(directory, port), port, "using the \"epoll\" event method") {}

python_server::python_server(chain_files const& files)
    : peer_server({"python3", "-c", python_program, files.chain, files.key}, "port ") {}

curt_python_server::curt_python_server(chain_files const& files)
    : peer_server({"python3", "-c", curt_python_program, files.chain, files.key}, "port ") {}

node_https_server::node_https_server(chain_files const& files)
    : peer_server({"node", "-e", node_https_program, files.chain, files.key}, "port ") {}

node_server::node_server(chain_files const& files)
    : peer_server({"node", "-e", node_program, files.chain, files.key}, "port ") {}

tool_server::tool_server(words const& more, chain_files const& files)
    : serving_tool(words{"--cert", files.chain, "--key", files.key} + more) {}

words trusting_tool(std::string const& command, std::string const& address, words const& more) {
  return tool(words{command, address, "--ca", certificates::all().root_file} + more);
}

}  // namespace cotls::test
