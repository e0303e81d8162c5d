CREATE TABLE people (id bigint PRIMARY KEY, email text, phone text, first_name text, last_name text, full_name text, username text, street text, city text, iban text, born date,
	created_at timestamptz, note text);
