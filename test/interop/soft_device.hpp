#pragma once

#include "certificates.hpp"
#include "process.hpp"
#include "programs.hpp"
#include "temporary_directory.hpp"

#include <cotls/identity.hpp>

#include <boost/test/tools/assertion_result.hpp>

#include <memory>
#include <string>

struct ossl_provider_st;

namespace cotls::test {

/** A provider of OpenSSL's that is loaded into its default library, beside the default provider. */
class loaded_provider {
 public:
  explicit loaded_provider(std::string name);
  ~loaded_provider() { unload(); }
  loaded_provider(loaded_provider const&) = delete;
  loaded_provider& operator=(loaded_provider const&) = delete;

  /** @par Errors std::runtime_error */
  void load();
  void unload();

 private:
  std::string name_;
  ossl_provider_st* loaded_ = nullptr;
};

/** A device in software that keeps keys, and OpenSSL's provider of it. There is one of a kind in a
    process: a provider keeps to the device that it was first loaded for. */
class soft_device {
 public:
  virtual ~soft_device() = default;
  soft_device(soft_device const&) = delete;
  soft_device& operator=(soft_device const&) = delete;

  /** Puts a key into the device, and returns its URI. */
  virtual std::string keep(entity const& whose) = 0;

  /** Returns a URI as those of keys, of which there is none. */
  virtual std::string uri_of_nothing() const = 0;

  /** Returns the PIN, if there is one. */
  virtual key_options pin() const = 0;

  loaded_provider& provider() noexcept { return provider_; }

 protected:
  explicit soft_device(std::string provider) : provider_(std::move(provider)) {}

 private:
  loaded_provider provider_;
};

/** `swtpm`, a TPM 2.0, at a port of 127.0.0.1. Its keys outlive its process. */
class soft_tpm : public soft_device {
 public:
  /** Whether the programs and the provider are installed, and if not what is missing. */
  static boost::test_tools::assertion_result is_installed();
  static soft_tpm& get();

  std::string keep(entity const& whose) override;
  std::string uri_of_nothing() const override { return "handle:0x8100ffff"; }
  key_options pin() const override { return key_options(); }

  void start();
  void stop() { process_->kill(); }

 private:
  soft_tpm();
  std::string transport() const;
  void run(words const& tool) const;

  temporary_directory state_;
  int port_ = 0;
  unsigned next_ = 0x81000001u;
  std::unique_ptr<process> process_;
};

/** A token of SoftHSM's, with a PIN. */
class soft_token : public soft_device {
 public:
  static constexpr char right_pin[] = "123456";

  static boost::test_tools::assertion_result is_installed();
  static soft_token& get();

  /** The same into a token of its own, which nobody has opened by its PIN. */
  std::string keep_locked(entity const& whose) { return keep(whose, "locked"); }

  std::string keep(entity const& whose) override { return keep(whose, "web"); }
  std::string uri_of_nothing() const override { return uri_of("web", "nothing"); }
  key_options pin() const override { return key_options().password(right_pin); }

 private:
  soft_token();
  std::string keep(entity const& whose, std::string const& token);
  static void make_token(std::string const& label);
  static std::string uri_of(std::string const& token, std::string const& name);
  static void run(words const& options);

  temporary_directory state_;
  int next_ = 1;
};

/** Returns where OpenSSL looks for a provider of this name. */
std::string module_of(std::string const& provider);

/** Whether OpenSSL's provider of this name and all the programs are installed. */
boost::test_tools::assertion_result are_installed(std::string const& provider,
                                                  words const& programs);

}  // namespace cotls::test
