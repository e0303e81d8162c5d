-- sync_remap_users(): ids are compared as their type compares, not as they are written.
SET client_min_messages = warning;
CREATE DATABASE prodsync_remap;
\c prodsync_remap
CREATE EXTENSION prodsync;
CREATE SCHEMA types;
CREATE EXTENSION citext SCHEMA types;
\set part `echo "$PRODSYNC_TEST_PARTS"`/told.sql
\i :part
SELECT sync_set_environment('uat', true);

-- ---- a type of an extension: "=" that no search_path of ours finds ----
CREATE TABLE person (login types.citext PRIMARY KEY, admin boolean NOT NULL);
CREATE TABLE post (id int PRIMARY KEY, author types.citext REFERENCES person, editor types.citext REFERENCES person, UNIQUE (id, author));
-- a row that folds, and what references it in another case
CREATE TABLE profile (name types.citext PRIMARY KEY, person types.citext UNIQUE REFERENCES person);
CREATE TABLE photo (id int PRIMARY KEY, profile types.citext REFERENCES profile);
INSERT INTO person VALUES ('admin', true), ('Anna', false), ('Bert', false);
SELECT sync_configure('{"users": {"table": "person", "fallback": "admin"}}');
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO post VALUES (1, 'ALICE', 'alice'), (2, 'bob', 'Alice'), (3, 'carol', NULL);
INSERT INTO profile VALUES ('First', 'ALICE'), ('Second', 'bob');
INSERT INTO photo VALUES (1, 'first'), (2, 'SECOND');
RESET session_replication_role;
SELECT * FROM sync_remap_users('{"Alice": "ANNA", "BOB": "anna"}');
SELECT * FROM post ORDER BY id;
SELECT * FROM profile ORDER BY name;
SELECT * FROM photo ORDER BY id;
SELECT check_name, object, violations FROM sync_check() WHERE NOT ok;
ROLLBACK;
SELECT * FROM told('SELECT sync_remap_users(''{"Alice": "Anna", "ALICE": "Bert"}'')');
SELECT * FROM told('SELECT sync_remap_users(''{"Alice": "nobody", "Bob": "Anna", "Carol": null}'')');

-- ---- numbers and uuids, written in other ways ----
DROP TABLE photo, profile, post, person;
CREATE TABLE person (id numeric(10,2) PRIMARY KEY, key uuid UNIQUE NOT NULL, admin boolean NOT NULL);
CREATE TABLE post (id int PRIMARY KEY, author numeric(12,4) REFERENCES person);
CREATE TABLE client (id uuid PRIMARY KEY, admin boolean NOT NULL);
CREATE TABLE note (id int PRIMARY KEY, client uuid REFERENCES client);
INSERT INTO person VALUES (1, gen_random_uuid(), true), (2, gen_random_uuid(), false);
INSERT INTO client VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', true), ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a22', false);
SELECT sync_configure('{"users": {"table": "person", "fallback": "admin"}}');
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO post VALUES (1, 7), (2, 8.5), (3, 9);
RESET session_replication_role;
SELECT * FROM sync_remap_users('{"7": "2.0", "08.50": 2}');
SELECT * FROM post ORDER BY id;
ROLLBACK;
SELECT * FROM told('SELECT sync_remap_users(''{"7": 2, "7.0": 1}'')');
SELECT * FROM told('SELECT sync_remap_users(''{"seven": 2}'')');
SELECT sync_configure('{"users": {"table": "client", "fallback": "admin"}}');
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO note VALUES (1, 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a33'), (2, 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a44');
RESET session_replication_role;
SELECT * FROM sync_remap_users('{"B0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A33": "{a0eebc999c0b4ef8bb6d6bb9bd380a22}"}');
SELECT * FROM note ORDER BY id;
ROLLBACK;

-- ---- a type of somebody's: its cast from text is his code, and never runs with the rights of the extension's owner ----
CREATE ROLE regress_prodsync_curious;
GRANT CREATE ON SCHEMA public TO regress_prodsync_curious;
SET SESSION AUTHORIZATION regress_prodsync_curious;
CREATE TYPE mood AS ENUM ('calm', 'merry', 'sad');
CREATE FUNCTION to_mood(text) RETURNS mood LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN RAISE EXCEPTION 'to_mood() ran as a superuser'; END IF;
	RETURN CASE $1 WHEN 'calm' THEN 'calm'::public.mood WHEN 'merry' THEN 'merry'::public.mood WHEN 'sad' THEN 'sad'::public.mood END;
END $$;
CREATE CAST (text AS mood) WITH FUNCTION to_mood(text);
CREATE TABLE moody (mood mood PRIMARY KEY, admin boolean NOT NULL);
CREATE TABLE remark (id int PRIMARY KEY, author mood REFERENCES moody);
INSERT INTO moody VALUES ('calm', true), ('merry', false);
RESET SESSION AUTHORIZATION;
SELECT sync_configure('{"users": {"table": "moody", "fallback": "admin"}}');
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO remark VALUES (1, 'sad'), (2, 'sad');
RESET session_replication_role;
SELECT * FROM sync_remap_users('{"sad": "merry"}');
SELECT * FROM remark ORDER BY id;
ROLLBACK;
\c postgres
DROP DATABASE prodsync_remap;
DROP ROLE regress_prodsync_curious;
