#pragma once

#include "pki.hpp"
#include "temporary_directory.hpp"

#include <cotls/context.hpp>

#include <filesystem>
#include <string>

namespace cotls::test {

/** Certificates and keys as the files that programs want, in one directory. */
class pem_files {
 public:
  pem_files(temporary_directory const& in, std::string const& name, issued const& what)
      : certificate(in.write(name + ".pem", what.certificate)),
        intermediates(in.write(name + ".intermediates.pem", what.intermediates)),
        key(in.write(name + ".key", what.key)) {}

  std::string certificate;
  std::string intermediates;
  std::string key;
};

/** An end entity in both forms. */
class entity {
 public:
  entity(temporary_directory const& in, std::string const& name, issued const& what)
      : pem(what), files(in, name, what) {}

  issued pem;
  pem_files files;
};

/** The certificates of these tests: root, intermediate, end entities, and a root of strangers. */
class certificates {
 public:
  /** Made at its first use; its files are removed when the program ends. */
  static certificates const& all();

  temporary_directory directory;   ///< holds no hashed roots: it does for `curl --capath`
  authority root{"cotls test root"};
  authority intermediate{root.make_intermediate("cotls test intermediate")};
  authority strangers_root{"a stranger's root"};
  std::string root_file = directory.write("root.pem", root.pem());
  std::string strangers_root_file = directory.write("stranger.pem", strangers_root.pem());

  entity localhost;       ///< for localhost, 127.0.0.1 and ::1
  entity localhost_rsa;   ///< the same, with an RSA key
  entity expired;         ///< the same, until yesterday
  entity elsewhere;       ///< for elsewhere.example and 192.0.2.1
  entity client;          ///< a client's, of our root
  entity stranger;        ///< a client's, of the stranger's root

  /** Returns a server's context: the entity's chain and key. */
  static server_context serve(entity const& who, protocol versions = protocol::secure);

  /** Returns a client's context: an authority as its only root. */
  static client_context trust(authority const& root, protocol versions = protocol::secure);

 private:
  certificates();
};

}  // namespace cotls::test
