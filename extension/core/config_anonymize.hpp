// The part of the configuration under "anonymize".
#pragma once
#include "config.hpp"
#include "config_reader.hpp"

namespace core {

void parse_anonymize(const Reader &, const json &anonymize, Config &);

}  // namespace core
