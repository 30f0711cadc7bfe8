#pragma once

#include <cotls/blocking/connect.hpp>
#include <cotls/blocking/context_or_protocol.hpp>
#include <cotls/blocking/listener.hpp>
#include <cotls/blocking/ports.hpp>
#include <cotls/blocking/stream.hpp>
