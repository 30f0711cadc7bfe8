#pragma once

#include <cotls/blocking.hpp>
#include <cotls/certificate.hpp>
#include <cotls/client_hello.hpp>
#include <cotls/connect.hpp>
#include <cotls/connection_info.hpp>
#include <cotls/context.hpp>
#include <cotls/engine.hpp>
#include <cotls/error.hpp>
#include <cotls/incoming.hpp>
#include <cotls/listener.hpp>
#include <cotls/private_key.hpp>
#include <cotls/protocol.hpp>
#include <cotls/status.hpp>
#include <cotls/stream.hpp>
#include <cotls/version.hpp>
