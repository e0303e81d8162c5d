// The unit tests' main(): version 2 of Catch2 makes it here, version 3 brings it along (Catch2Main).
#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_MAIN
#endif
#include "catch.hpp"
