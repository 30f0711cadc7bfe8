#pragma once

#include <cotls/detail/operation/operation.hpp>
#include <cotls/error.hpp>
#include <cotls/protocol.hpp>
#include <cotls/status.hpp>
#include <cotls/step.hpp>

#include <boost/asio/cancellation_type.hpp>

#include <ostream>

// How Boost.Test prints what the tests compare.

namespace cotls {

inline std::ostream& boost_test_print_type(std::ostream& out, errc value) {
  return out << make_error_code(value).message();
}
inline std::ostream& boost_test_print_type(std::ostream& out, alert value) {
  return out << make_error_code(value).message();
}
inline std::ostream& boost_test_print_type(std::ostream& out, want value) {
  return out << "want " << static_cast<int>(value);
}

inline std::ostream& boost_test_print_type(std::ostream& out, status value) {
  return out << to_string(value);
}
inline std::ostream& boost_test_print_type(std::ostream& out, protocol value) {
  return out << to_string(value);
}

namespace detail {

inline std::ostream& boost_test_print_type(std::ostream& out, action value) {
  return out << "action " << static_cast<int>(value);
}

}  // namespace detail

}  // namespace cotls

namespace boost::asio {

inline std::ostream& boost_test_print_type(std::ostream& out, cancellation_type value) {
  return out << "cancellation type " << static_cast<unsigned>(value);
}

namespace error {

inline std::ostream& boost_test_print_type(std::ostream& out, basic_errors value) {
  return out << make_error_code(value).message();
}
inline std::ostream& boost_test_print_type(std::ostream& out, misc_errors value) {
  return out << make_error_code(value).message();
}

}  // namespace error

}  // namespace boost::asio
