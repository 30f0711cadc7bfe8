#pragma once

#include <fstream>
#include <ostream>
#include <stdexcept>
#include <string>

namespace bench {

/** A file that is written at the end, and opened at the beginning: it would be a pity to find out
    after a quarter of an hour that it cannot be. Without a name there is none. */
class output_file {
 public:
  /** @par Errors `std::runtime_error` */
  explicit output_file(std::string name) : name_(std::move(name)) {
    if (name_.empty()) return;
    file_.open(name_);
    check();
  }

  /** Lets `write` write all of it. @par Errors `std::runtime_error` */
  template <class Write>
  void write(Write const& write) {
    if (name_.empty()) return;
    write(static_cast<std::ostream&>(file_));
    file_.close();
    check();
  }

 private:
  void check() const {
    if (!file_) throw std::runtime_error("cannot write " + name_);
  }

  std::string name_;
  std::ofstream file_;
};

}  // namespace bench
