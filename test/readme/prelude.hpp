#pragma once

// What the blocks of README and of the pages take as read: they are compiled after this (see
// extract.cmake).

#include <cotls/cotls.hpp>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <chrono>
#include <cstddef>
#include <iostream>
#include <map>
#include <string>

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;
