// A name is split into words first: emailAddress and email_address are the same to a person. Then one table says which words, runs of
// words, or stems inside a word (an unquoted emailAddress is emailaddress in the catalog) speak of what. Words that say the column is
// only about such a value (email_verified_at, phone_count) take it out again. In doubt a column is named: strategy: none is one line,
// a leak is not undone.
#include "detect_names.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <unordered_map>

#include "person_names.hpp"

namespace core {

namespace {

using Words = std::vector<std::string>;

constexpr double sure = 0.9, likely = 0.75, weak = 0.3;

struct Sign {
	Category category;
	double confidence;
	std::set<Kind> kinds;
	const char *runs;     // runs of words, separated by commas; a run is somewhere in the name
	const char *stems;    // inside a word
};

// The order decides where several fit: email_token is a secret, ip_address no postal one. English first, then German, French, Spanish,
// Portuguese, Italian, Dutch; words are without accents.
const std::vector<Sign> &signs()
{
	static const std::vector<Sign> table{
	    {Category::password, sure, {Kind::text},
	        "password, passwd, passphrase, pwd, pw hash, pass hash, passwort, kennwort, mot passe, mot de passe, mdp, "
	        "contrasena, contrasenia, clave acceso, senha, "
	        "parola chiave, wachtwoord, encrypted pass",
	        "passw, passphrase, kennwort, contrasen, wachtwoord"},
	    {Category::secret, sure, {Kind::text, Kind::token},
	        "secret, token, apikey, api key, private key, access key, auth key, secret key, encryption key, signing key, ssh "
	        "key, license key, credential, credentials, "
	        "otp, totp, hotp, one time code, mfa code, pin, pin code, pin hash, security answer, security question answer, "
	        "recovery codes, recovery code, backup codes, "
	        "backup code, jwt, cvv, cvc, cvv2, session key, session data, cookie, voucher code, voucher pin, gift code, gift "
	        "card code, redeem code, redemption code, "
	        "activation code, verification code, reset code, confirmation code, oauth, webhook key, seed phrase, mnemonic, "
	        "geheimnis, zugangscode, jeton, codigo acceso",
	        "apikey, secret, accesstoken, refreshtoken, authtoken"},
	    {Category::email, sure, {Kind::text},
	        "email, emails, e mail, e mails, mail, mails, mailbox, mail address, epost, correo, correo electronico, courriel, "
	        "courrier electronique, adresse mail, mel, "
	        "posta elettronica, pec, email adres",
	        "email, courriel, mailadress"},
	    {Category::device, sure, {Kind::text, Kind::network},
	        "mac address, macaddr, mac addr, imei, imsi, device token, advertising id, idfa, gaid, device fingerprint",
	        "macaddr"},
	    {Category::phone, sure, {Kind::text, Kind::number},
	        "phone, phones, phonenumber, telephone, tel, tel no, telno, telefon, telefonnummer, rufnummer, telefono, telefone, "
	        "telefoon, mobile, mobil, mobiel, movil, "
	        "msisdn, cell, cellphone, cellular, celular, cellulare, portable, telemovel, fax, telefax, whatsapp, handy, "
	        "handynummer, sms number, landline, festnetz, "
	        "numero tel, num tel, mob no, gsm",
	        "phone, msisdn, mobilen, telefon, telefoon, handynum, gsmn"},
	    {Category::network, sure, {Kind::text, Kind::network},
	        "ip, ips, ipaddress, ip address, ipaddr, ip addr, ipv4, ipv6, remote addr, remote address, client addr, adresse ip, "
	        "direccion ip, remote host ip",
	        "ipaddr"},
	    {Category::birth, sure, {Kind::text, Kind::date},
	        "birth, birthday, birthdate, birth date, dob, born, born on, geburtsdatum, geburtstag, geboren, gebdat, naissance, "
	        "date naissance, nacimiento, fecha nac, "
	        "nascimento, data nasc, nascita, geboorte, geboortedatum",
	        "birthda, dateofbirth, geburts, geboorte, naissance, nacimiento, nascimento"},
	    {Category::document, sure, {Kind::text, Kind::number},
	        "ssn, sin number, social security, social insurance, social security number, passport, passport no, passport number, "
	        "national id, nationalid, national number, "
	        "id number, idnumber, id no, id card, id document number, identity number, identity no, identity document, "
	        "identification number, personal number, "
	        "personal id, personnummer, citizen id, tax id, tax number, taxnumber, taxid, tax no, taxpayer, tin, vat number, vat "
	        "id, vat no, nino, ni number, "
	        "license number, licence number, license no, licence no, driver license, drivers license, driving licence, medicare, "
	        "nhs number, health number, "
	        "insurance number, medical record number, mrn, document number, document no, doc number, doc no, visa number, "
	        "resident permit, residence permit, "
	        "steuernummer, steuer id, steuerid, ausweisnummer, personalausweis, sozialversicherungsnummer, svnr, sv nummer, "
	        "numero secu, securite sociale, nir, insee, "
	        "dni, nie, nif, nit, curp, rfc, cedula, pasaporte, seguridad social, cpf, cnpj, rg, contribuinte, codice fiscale, "
	        "codicefiscale, partita iva, tessera sanitaria, "
	        "bsn, burgerservicenummer, sofinummer, rijbewijs, aadhaar, pan number, pesel, license plate, licence plate, number "
	        "plate, kennzeichen, matricula, vin number",
	        "passportn, nationalid, idnumber, steuernum, sozialvers, codicefiscale, burgerservice, ausweisn"},
	    {Category::iban, sure, {Kind::text}, "iban, ibans", "iban_"},
	    {Category::card, sure, {Kind::text, Kind::number},
	        "card number, cardnumber, card no, card num, cc number, cc num, ccn, credit card, debit card, creditcard, pan, card "
	        "pan, card last4, card last 4, kreditkarte, "
	        "kartennummer, carte bancaire, numero carte, tarjeta credito, numero tarjeta, cartao, carta credito, "
	        "creditcardnummer",
	        "cardnum, creditcard, kreditkart"},
	    {Category::account, sure, {Kind::text, Kind::number},
	        "account number, accountnumber, account numbers, account no, account num, account nr, acct number, acct no, acct "
	        "num, acct nbr, acc no, acc number, bank account, "
	        "bankaccount, bank details, bic, swift, sort code, routing number, wallet address, meter number, meter no, policy "
	        "number, policy no, customer number, "
	        "member number, membership number, membership no, subscriber number, patient number, loyalty number, loyalty card, "
	        "kontonummer, kontonr, bankverbindung, blz, "
	        "kundennummer, mitgliedsnummer, numero compte, rib, numero cuenta, cuenta bancaria, conta bancaria, numero conta, "
	        "conto corrente, numero conto, rekeningnummer, "
	        "rekening, klantnummer, bsb",
	        "accountnum, accountno, bankaccount, kontonum, rekeningnum"},
	    {Category::first_name, sure, {Kind::text},
	        "first name, firstname, fname, given name, given names, givenname, forename, middle name, middlename, mname, first "
	        "names, preferred name, vorname, vornamen, "
	        "rufname, prenom, prenoms, nome proprio, primeiro nome, primer nombre, segundo nombre, nome di battesimo, voornaam, "
	        "voornamen, roepnaam, voorletters",
	        "firstname, givenname, vorname, voornaam"},
	    {Category::last_name, sure, {Kind::text},
	        "last name, lastname, lname, surname, family name, familyname, maiden name, mothers maiden, nachname, familienname, "
	        "geburtsname, zuname, nom famille, "
	        "nom de famille, nom naissance, apellido, apellidos, apellido1, apellido2, sobrenome, apelido, cognome, achternaam, "
	        "tussenvoegsel, familienaam",
	        "lastname, surname, familyname, nachname, achternaam, apellido, cognome"},
	    {Category::username, likely, {Kind::text},
	        "username, user name, uname, login, login name, loginname, nickname, nick name, screen name, screenname, user "
	        "handle, twitter, instagram, facebook, linkedin, skype, "
	        "telegram, discord, benutzername, anmeldename, nom utilisateur, identifiant connexion, pseudo, nombre usuario, "
	        "usuario, nome utente, gebruikersnaam",
	        "username, loginname, benutzername, gebruikersnaam"},
	    {Category::full_name, sure, {Kind::text},
	        "full name, fullname, display name, displayname, legal name, real name, realname, person name, contact person, "
	        "contact name, customer name, client name, user full name, "
	        "holder name, account holder, account name, cardholder, card holder, name on card, recipient name, receiver name, "
	        "sender name, payee name, payer name, "
	        "beneficiary name, member name, employee name, patient name, guest name, owner name, author name, applicant name, "
	        "student name, teacher name, driver name, "
	        "requester name, approver name, signer name, signatory, signature, referee name, manager name, doctor name, "
	        "physician, parent name, child name, spouse, "
	        "spouse name, father name, fathers name, mother name, mothers name, kin name, next of kin, emergency contact, "
	        "attendee name, passenger name, traveller name, "
	        "traveler name, visitor name, buyer name, seller name, landlord name, "
	        "ansprechpartner, kontoinhaber, karteninhaber, kundenname, vollstandiger name, nom complet, nom prenom, nom client, "
	        "titulaire, nombre completo, "
	        "nombre apellidos, nombre cliente, titular, nome completo, nome cliente, intestatario, nominativo, volledige naam, "
	        "klantnaam, contactpersoon, rekeninghouder",
	        "fullname, customername, contactname, contactperson, accountholder, cardholder, kundenname, contactpersoon"},
	    {Category::street, sure, {Kind::text},
	        "street, street name, streetname, street address, house number, house no, address line, address1, address2, "
	        "address3, addr1, addr2, address line1, address line2, "
	        "strasse, hausnummer, hausnr, rue, calle, domicilio, rua, via piazza, straat, straatnaam, huisnummer",
	        "streetname, streetaddr, strassenn, addressline, huisnummer, hausnummer"},
	    {Category::postcode, sure, {Kind::text},
	        "postcode, post code, postal code, postalcode, zip, zipcode, zip code, zip4, plz, postleitzahl, code postal, codigo "
	        "postal, cep, codice postale",
	        "postcode, zipcode, postalcode, postleit"},
	    {Category::address, sure, {Kind::text},
	        "address, addresses, addr, postal address, home address, suburb, anschrift, adresse, adressen, wohnort, adres, "
	        "direccion, endereco, morada, indirizzo, woonplaats, domicile, "
	        "residence, geolocation, gps, latlng, lat lng, lat lon",
	        "address, anschrift, indirizzo, direccion, endereco"},
	    {Category::file, likely, {Kind::text},
	        "document url, document image, document image url, document file, document scan, document photo, id photo, id scan, "
	        "id image, passport photo, passport scan, passport image, "
	        "selfie, selfie url, photo url, photo, profile photo, profile picture, profile image, avatar, avatar url, portrait, "
	        "face image, headshot, mugshot, signature image, "
	        "signature url, proof of address, bank statement url, resume, resume url, cv url, medical file, lichtbild, passbild, "
	        "photo identite, foto perfil, foto",
	        "selfie, avatar, documentimage, profilepic"},
	    // What only speaks together with what is inside, or with the table it is in.
	    {Category::full_name, weak, {Kind::text},
	        "name, names, payer, payee, nombre, nome, naam, nom, contact, recipient, receiver, sender, beneficiary, requester, "
	        "approver, attendee, passenger, assignee, author, alias, kunde, "
	        "cliente, inhaber, owner, salutation, submitted by, created by, updated by, performed by, reviewed by, approved by, "
	        "requested by",
	        ""},
	    {Category::account, weak, {Kind::text},
	        "identifier, account, acct, reference number, external id, konto, compte, cuenta, conta, numero, number, iban, "
	        "benefactor",
	        ""},
	    {Category::city, weak, {Kind::text},
	        "city, town, stadt, ort, ville, ciudad, cidade, citta, stad, plaats, localidad, comune, location, county, "
	        "neighborhood",
	        ""},
	    {Category::text, weak, {Kind::text},
	        "notes, note, comment, comments, remarks, remark, message, messages, description, body, bio, about me, feedback, "
	        "bemerkung, bemerkungen, notiz, notizen, kommentar, "
	        "commentaire, remarque, comentario, comentarios, observaciones, observacoes, nota, opmerking, opmerkingen, "
	        "transcript, content",
	        ""},
	    {Category::company, weak, {Kind::text},
	        "company, company name, organisation, organization, employer, firma, arbeitgeber, entreprise, empresa, azienda, "
	        "bedrijf",
	        ""},
	};
	return table;
}

// The column is about such a value, not the value. What it begins with: is_email, has_phone, count_of_addresses.
const std::set<std::string> about_at_front{
    "is", "has", "can", "count", "total", "enable", "allow", "require", "num", "requires", "max", "min", "default"};
// What it ends with: email_sent, phone_verified_at. (Ids that reference something are numbers; a text email_id is an address.)
const std::set<std::string> about_at_end{"at", "on", "count", "counts", "total", "verified", "verification", "confirmed",
    "enabled", "disabled", "sent", "status", "state", "type", "types", "kind", "template", "subject", "body", "provider",
    "backend", "category", "limit", "attempts", "opt", "optin", "required", "allowed", "expires", "expiry", "expiration", "ttl",
    "format", "version", "length", "flag", "frequency", "preference", "preferences", "priority", "language", "algorithm",
    "method", "scope", "scopes", "purpose", "country", "domain", "size", "date", "time", "timestamp", "hits", "queue", "host",
    "port", "label", "module", "class", "pattern", "regex", "env", "code", "brand", "network", "consent", "typ", "anzahl", "tipo",
    "soort"};
// The same, unless the name is of a file.
const std::set<std::string> place_at_end{"url", "uri", "path", "file", "image", "scan"};
// Accounts of the house: ledgers have no person behind them.
const std::set<std::string> of_the_house{"float", "ledger", "gl", "nostro", "vostro", "suspense", "clearing", "settlement", "chart", "coa"};

// Whose bare "name" is a person's.
const std::set<std::string> people{"user", "users", "customer", "customers", "contact", "contacts", "person", "persons", "people",
    "member", "members", "employee", "employees", "staff", "patient", "patients", "student", "students", "teacher", "teachers",
    "guest", "guests", "lead", "leads", "client", "clients", "applicant", "applicants", "candidate", "candidates", "beneficiary",
    "beneficiaries", "recipient", "recipients", "passenger", "passengers", "subscriber", "subscribers", "driver", "drivers",
    "buyer", "buyers", "seller", "sellers", "visitor", "visitors", "attendee", "attendees", "donor", "donors", "author",
    "authors", "payee", "payees", "friend", "friends", "participant", "participants", "resident", "residents", "citizen",
    "citizens", "voter", "voters", "kunde", "kunden", "mitarbeiter", "personen", "benutzer", "mitglied", "mitglieder",
    "patienten", "ansprechpartner", "clients", "utilisateur", "utilisateurs", "personne", "personnes", "employes", "salaries",
    "abonnes", "cliente", "clientes", "usuario", "usuarios", "persona", "personas", "empleado", "empleados", "paciente",
    "pacientes", "pessoa", "pessoas", "funcionario", "funcionarios", "utente", "utenti", "clienti", "persone", "dipendente",
    "dipendenti", "klant", "klanten", "gebruiker", "gebruikers", "medewerker", "medewerkers", "personeel"};
const std::set<std::string> of_people{
    "profile", "profiles", "detail", "details", "info", "data", "record", "records", "account", "accounts", "master"};
const std::set<std::string> papers{
    "kyc", "kyb", "identity", "passport", "passports", "identification", "ausweise", "patient", "medical", "onboarding"};

struct Run {
	Words words;
	const Sign *sign;
	std::size_t order;
};

Words split(std::string_view text, std::string_view separators)
{
	Words out;
	for (std::size_t at = 0; at < text.size();) {
		at = text.find_first_not_of(separators, at);
		if (at == text.npos) break;
		const auto end = std::min(text.find_first_of(separators, at), text.size());
		out.emplace_back(text.substr(at, end - at));
		at = end;
	}
	return out;
}

// By the first word of a run, so that a name costs a look-up per word.
const std::unordered_map<std::string, std::vector<Run>> &runs()
{
	static const auto built = [] {
		std::unordered_map<std::string, std::vector<Run>> out;
		std::size_t order = 0;
		for (const Sign &sign : signs()) {
			for (const std::string &text : split(sign.runs, ",")) {
				Words words = split(text, " ");
				if (!words.empty()) out[words.front()].push_back({words, &sign, order});
			}
			++order;
		}
		return out;
	}();
	return built;
}

struct Stem {
	std::string text;
	const Sign *sign;
	std::size_t order;
};

const std::vector<Stem> &stems()
{
	static const auto built = [] {
		std::vector<Stem> out;
		std::size_t order = 0;
		for (const Sign &sign : signs()) {
			for (const std::string &text : split(sign.stems, ", ")) out.push_back({text, &sign, order});
			++order;
		}
		return out;
	}();
	return built;
}

bool any_of(const Words &words, const std::set<std::string> &set)
{
	return std::any_of(words.begin(), words.end(), [&](const auto &word) { return set.contains(word); });
}

bool only_about(const Words &words, const Sign &sign)
{
	if (words.size() < 2) return false;
	if (about_at_front.contains(words.front())) return true;
	if (place_at_end.contains(words.back())) return sign.category != Category::file && sign.category != Category::network;
	if (!about_at_end.contains(words.back())) return false;
	// birth_date, pin_code, sort_code, phone_country_code: the words that belong to the run itself are none about it
	if (sign.category == Category::birth && words.back() == "date") return false;
	return words.back() != "code" || (sign.category != Category::postcode && sign.category != Category::secret && sign.category != Category::account);
}

}  // namespace

std::optional<Kind> kind_of(const Column &column)
{
	std::string base = column.base;
	while (base.ends_with("[]")) base.resize(base.size() - 2);
	if (base == "text" || base == "character varying" || base == "character" || base == "varchar" || base == "bpchar" || base == "name" ||
	    base.find('.') != base.npos ||    // composite, hstore, a text type of an extension: in doubt it can hold anything
	    base == "citext" || base == "hstore" || base == "bytea" || base == "json" || base == "jsonb" || base == "xml")
		return Kind::text;
	if (base == "bigint" || base == "numeric" || base == "integer") return Kind::number;
	if (base == "uuid") return Kind::token;
	if (base == "date" || base.starts_with("timestamp")) return Kind::date;
	if (base == "inet" || base == "cidr" || base.starts_with("macaddr")) return Kind::network;
	return std::nullopt;
}

std::vector<std::string> words_of_name(std::string_view given)
{
	Words words(1);
	const std::string name(given);
	const auto upper = [&](std::size_t i) { return i < name.size() && std::isupper(static_cast<unsigned char>(name[i])); };
	const auto lower = [&](std::size_t i) { return i < name.size() && std::islower(static_cast<unsigned char>(name[i])); };
	for (std::size_t i = 0; i < name.size(); ++i) {
		const auto c = static_cast<unsigned char>(name[i]);
		if (!std::isalpha(c) && c < 0x80) {
			words.emplace_back();
			continue;
		}
		// aB begins a word, and so does the last capital of a run: IPAddress is ip, address
		if (i && upper(i) && (lower(i - 1) || (upper(i - 1) && lower(i + 1)))) words.emplace_back();
		words.back() += static_cast<char>(c);
	}
	for (std::string &word : words) word = plain_letters(word);
	words.erase(std::remove(words.begin(), words.end(), ""), words.end());
	return words;
}

std::optional<NameSign> sign_of_name(const Words &words, Kind kind)
{
	const Sign *found = nullptr;
	std::size_t order = signs().size();
	bool whole = false;
	const auto consider = [&](const Sign &sign, std::size_t at, bool is_whole) {
		if (at < order && sign.kinds.contains(kind)) found = &sign, order = at, whole = is_whole;
	};
	for (std::size_t i = 0; i < words.size(); ++i) {
		if (const auto at = runs().find(words[i]); at != runs().end())
			for (const Run &run : at->second)
				if (run.words.size() <= words.size() - i &&
				    std::equal(run.words.begin(), run.words.end(), words.begin() + static_cast<std::ptrdiff_t>(i)))
					consider(*run.sign, run.order, run.words.size() == words.size());
		for (const Stem &stem : stems())
			if (words[i].find(stem.text) != std::string::npos) consider(*stem.sign, stem.order, false);
	}
	if (!found || (!whole && only_about(words, *found))) return std::nullopt;
	const bool account = found->category == Category::account || (found->category == Category::full_name && any_of(words, {"account"}));
	if (account && any_of(words, of_the_house)) return std::nullopt;
	return NameSign{found->category, found->confidence};
}

bool names_people(std::string_view table)
{
	const Words words = words_of_name(table);
	if (words.empty()) return false;
	if (people.contains(words.back())) return true;
	return words.size() > 1 && of_people.contains(words.back()) && people.contains(words[words.size() - 2]);
}

bool names_papers(std::string_view table) { return any_of(words_of_name(table), papers); }

std::optional<NameSign> sign_of_comment(std::string_view comment, Kind kind)
{
	Words words = words_of_name(comment);
	// Prose: a name of a product or class in it (MobileMart) is one word.
	const Words plain = split(plain_letters(comment), " \t\n.,;:!?'\"()-_/");
	if (words.size() > 40) words.resize(40);
	for (std::size_t i = 0; i < words.size(); ++i) {
		const bool denied = i > 0 && (words[i - 1] == "no" || words[i - 1] == "not" || words[i - 1] == "non" || words[i - 1] == "keine");
		const std::string &word = words[i];
		const auto next = i + 1 < words.size() ? words[i + 1] : "";
		const bool marks = word == "pii" || word == "gdpr" || word == "dsgvo" || word == "personenbezogen" ||
		    word == "confidential" || word == "rgpd" || (word == "personal" && (next == "data" || next == "information")) ||
		    (word == "personally" && next == "identifiable") || (word == "sensitive" && next != "to") ||
		    (word == "donnees" && next == "personnelles") || (word == "datos" && next == "personales") ||
		    (word == "dados" && next == "pessoais") || (word == "dati" && next == "personali") || word == "persoonsgegevens";
		if (marks && !denied) {
			const auto told = sign_of_name(words, kind);
			return NameSign{told && told->confidence > weak ? told->category : Category::marked, sure};
		}
	}
	// "the customer's e-mail address" says what it is; "email, sftp or api" says what there is, and so does a long sentence.
	const bool lists = comment.find_first_of(",;/|:()'\"") != comment.npos && comment.find("'s") == comment.npos;
	if (lists || plain.size() > 6) return std::nullopt;
	auto told = sign_of_name(plain, kind);
	if (!told || told->confidence < sure) return std::nullopt;
	told->confidence = 0.6;
	return told;
}

}  // namespace core
