#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cotls::detail {

/** Reads a file that nobody but its owner may read or change, and whose owner is the program's user
    or root. None where there is no such file.
    @param most   More bytes than that are not read; the file is then cut there.
    @param doing  What the error says was tried.
    @par Errors The system's; permission_denied for a file that others have to do with */
std::optional<std::vector<unsigned char>> read_private_file(std::filesystem::path const& path,
                                                            std::size_t most,
                                                            std::string const& doing);

/** Puts a file with these bytes in the place of the one that is there, if any, at once: whoever
    reads it sees either. Its owner alone may read it.
    @par Errors The system's */
void replace_private_file(std::filesystem::path const& path, std::span<unsigned char const> bytes,
                          std::string const& doing);

/** Takes a file away, so that nobody else who does the same gets it, and returns where it is for
    the time being, to be read and removed; empty where there is none. @par Errors The system's */
std::filesystem::path take_file(std::filesystem::path const& path, std::string const& doing);

}  // namespace cotls::detail
