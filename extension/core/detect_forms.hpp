// What one value is by its form: an e-mail address, a card number whose check digit is right, a token ... Nothing of the value is kept.
#pragma once
#include <string_view>

namespace core {

enum class Form {
	none, email, phone, phone_local, iban, card, national_id, ip, mac, jwt, private_key, api_key, password_hash, token, full_name, first_name,
	last_name, address, text_email, text_phone, text_name, digits
};
inline constexpr int forms = static_cast<int>(Form::digits) + 1;

// The form of a whole value; of prose, what is inside of it. Values are UTF-8 and may be cut off.
Form form_of(std::string_view value);

// ---- of which form_of() is made ----
bool is_email_address(std::string_view);
bool is_iban(std::string_view);           // ISO 13616: country, length, and check digits by ISO 7064 MOD 97-10
bool is_card_number(std::string_view);    // 13 to 19 digits of a known issuer, check digit by Luhn
bool is_national_id(std::string_view);    // with its check digits: ZA, DE, ES, IT, FR, NL, PT, BR, BE, GB, US (form only)
bool is_ip_address(std::string_view);
bool is_mac_address(std::string_view);
bool is_token(std::string_view);          // long, no word, and random by its look

}  // namespace core
