// The least that a program includes of what does I/O: the library's errors.

#include <cotls/error.hpp>

int main() {}
