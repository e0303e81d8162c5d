-- The label: who may give it, and that it holds for this database only (C5).
SET client_min_messages = warning;
CREATE DATABASE prodsync_environment;
\c prodsync_environment
CREATE EXTENSION prodsync;
SELECT * FROM sync_environment();
SELECT sync_set_environment('uat', true);
SELECT * FROM sync_environment();
SELECT sync_set_environment('pre''prod', false);
SELECT * FROM sync_environment();
SELECT sync_start('{}', sync_catalog(), '{}');
SELECT sync_set_environment('  ', true);
SELECT sync_set_environment(NULL, true);
SELECT * FROM sync_environment();
BEGIN READ ONLY;
\set VERBOSITY sqlstate
SELECT sync_set_environment('uat', true);
\set VERBOSITY default
ROLLBACK;

-- the owner of the database, and nobody else
CREATE ROLE prodsync_owner;
CREATE ROLE prodsync_other;
ALTER DATABASE prodsync_environment OWNER TO prodsync_owner;
SET ROLE prodsync_other;
SELECT name FROM sync_environment();
SELECT sync_set_environment('uat', true);
SET ROLE prodsync_owner;
SELECT sync_set_environment('staging', true);
RESET ROLE;
SELECT name, set_by FROM prodsync_work.environment;

-- a copy is another database, and so is a renamed one
\c postgres
CREATE DATABASE prodsync_environment_copy TEMPLATE prodsync_environment;
\c prodsync_environment_copy
SELECT * FROM sync_environment();
SELECT sync_start('{}', sync_catalog(), '{}');
SELECT sync_set_environment('copy', true);
SELECT * FROM sync_environment();
\c postgres
ALTER DATABASE prodsync_environment_copy RENAME TO prodsync_environment_renamed;
\c prodsync_environment_renamed
SELECT * FROM sync_environment();

\c postgres
DROP DATABASE prodsync_environment;
DROP DATABASE prodsync_environment_renamed;
DROP ROLE prodsync_owner, prodsync_other;
