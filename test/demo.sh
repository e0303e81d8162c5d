#!/bin/bash
# A refresh to look at: test/demo.sh [SCALE]     (make demo; make demo-stop removes everything again)
#
# Two throwaway clusters (test/cluster.sh, under tmp_demo/): production and uat, with the pair of databases of test/fixtures/saas. A
# tester goes on reading and writing in uat while prodsync refreshes it, and what the tester noticed is told at the end. SCALE 25 (the
# default) is half a million rows. What was running under tmp_demo/ is replaced.
set -euo pipefail
umask 022
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PG_CONFIG=${PG_CONFIG:-pg_config}
base=tmp_demo
scale=${1:-25}
[[ $scale =~ ^[1-9][0-9]{0,3}$ ]] || { echo "usage: test/demo.sh [SCALE]" >&2; exit 2; }

bold='' plain=''
if [[ -t 1 && ${TERM:-dumb} != dumb ]]; then bold=$'\e[1m' plain=$'\e[0m'; fi
title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
type_it() { printf '\n%s$ %s%s\n' "$bold" "$*" "$plain"; "$@"; }        # as a person would
cluster() { test/cluster.sh -b "$base" "$@"; }

room='' tester=''
finish()
{
	local status=$?
	trap - EXIT INT TERM HUP
	if [[ -n $tester ]]; then kill "$tester" 2>/dev/null || :; wait "$tester" 2>/dev/null || :; fi
	if ((status != 0)) && [[ -n $room ]]; then
		printf '\nprodsync: error: the demo ended early\n  hint: the logs of its servers are in %s; make demo-stop removes everything\n' \
			"$room/production/log and $room/uat/log" >&2
	fi
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# ---- two servers, two databases ----
echo "Starting two PostgreSQL servers and loading a production and a UAT database (a few seconds) ..."
room=$(cluster open)
cluster tree
# Settings as on a server at work: a COMMIT waits for the disk.
cluster start production 'fsync = on' &
cluster start uat 'fsync = on'
wait $!
cluster run mkdir demo
tar -c --mode=u+rwX -C test/fixtures saas | cluster run tar -x -C demo
# Addresses in place of the fixture's ${PRODSYNC_...}: the file can be used from anywhere.
sed -e "s,\"\${PRODSYNC_SOURCE}\",\"host=$room/production port=5432 user=postgres dbname=app\"," \
	-e "s,\"\${PRODSYNC_TARGET}\",\"host=$room/uat port=5432 user=postgres dbname=app\"," \
	-e '/^anonymize:/,$d' test/fixtures/saas/prodsync.yaml >"$base/prodsync.yaml"
cat test/fixtures/saas/masking.yaml >>"$base/prodsync.yaml"
rm -f "$base/prodsync.key"
(umask 077 && od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$base/prodsync.key")
cluster run sh -c 'cat >demo/prodsync.yaml' <"$base/prodsync.yaml"
cluster run sh -c 'umask 077 && cat >demo/prodsync.key' <"$base/prodsync.key"
load() { cluster run sh -c 'PGHOST=$PWD/$1 && export PGHOST && createdb app && demo/saas/load.sh app "$1" "$2"' sh "$@"; }
load production "$scale" &
load uat 5
wait $!

sql()                                       # SIDE: SQL from stdin, rows as text
{
	cluster run psql -XAtq -F '|' -v ON_ERROR_STOP=1 -h "$room/$1" -d app
}
prodsync() { cluster run env -C "$room/demo" prodsync "$@"; }
sql uat <<<"CREATE EXTENSION prodsync; SELECT sync_set_environment('uat', true)" >/dev/null

# ---- what is looked at before and after ----
# The testers' rows without their ids and references, which a refresh may move: number of rows and one digest over all values.
digest()
{
	sql uat <<'SQL'
CREATE FUNCTION pg_temp.content(row_ anyelement) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(key || '=' || value, ' ' ORDER BY key) FROM jsonb_each(to_jsonb(row_)) WHERE key <> 'id' AND key NOT LIKE '%\_id' $$;
WITH t AS (SELECT * FROM apps_tenants_tenant WHERE schema_name LIKE 'test\_%'),
rows_ (text) AS (
	SELECT 'tenant ' || pg_temp.content(t) FROM t
	UNION ALL SELECT 'domain ' || schema_name || pg_temp.content(r) FROM t JOIN apps_tenants_tenantdomain r ON tenant_id = t.id
	UNION ALL SELECT 'member ' || schema_name || username || pg_temp.content(r)
		FROM t JOIN apps_tenants_membership r ON tenant_id = t.id JOIN auth_user u ON u.id = user_id
	UNION ALL SELECT 'customer ' || schema_name || coalesce(username, '') || pg_temp.content(r)
		FROM t JOIN apps_customers_customer r ON tenant_id = t.id LEFT JOIN auth_user u ON u.id = r.owner_id
	UNION ALL SELECT 'contact ' || schema_name || c.name || pg_temp.content(r)
		FROM t JOIN apps_customers_customer c ON tenant_id = t.id JOIN apps_customers_contact r ON customer_id = c.id
	UNION ALL SELECT 'product ' || schema_name || k.slug || pg_temp.content(r)
		FROM t JOIN apps_products_product r ON tenant_id = t.id JOIN core_category k ON k.id = category_id
	UNION ALL SELECT 'order ' || schema_name || s.name || pg_temp.content(r)
		FROM t JOIN apps_purchasing_order r ON tenant_id = t.id JOIN apps_suppliers_supplier s ON s.id = r.supplier_id
	UNION ALL SELECT 'line ' || schema_name || o.number || p.sku || pg_temp.content(r)
		FROM t JOIN apps_purchasing_order o ON tenant_id = t.id JOIN apps_purchasing_orderline r ON order_id = o.id JOIN apps_products_product p ON p.id = product_id
	UNION ALL SELECT 'invoice ' || schema_name || c.name || pg_temp.content(r)
		FROM t JOIN apps_sales_invoice r ON tenant_id = t.id JOIN apps_customers_customer c ON c.id = customer_id
	UNION ALL SELECT 'ticket ' || schema_name || pg_temp.content(r) FROM t JOIN apps_tickets_ticket r ON tenant_id = t.id)
SELECT count(*), md5(string_agg(text, E'\n' ORDER BY text)) FROM rows_
SQL
}
facts()                                     # of uat; one line each
{
	digest
	sql uat <<'SQL'
SELECT string_agg(name, ', ' ORDER BY name) FILTER (WHERE n <= 3) || CASE WHEN max(n) > 3 THEN ' and ' || max(n) - 3 || ' more' ELSE '' END
	FROM (SELECT schema_name AS name, row_number() OVER (ORDER BY schema_name) AS n FROM apps_tenants_tenant WHERE schema_name NOT LIKE 'test\_%') t;
SELECT to_char(count(*), 'FM999,999,999') FROM apps_customers_customer;
SELECT to_char(count(*), 'FM999,999,999') FROM apps_sales_invoice;
SELECT to_char(max(c.id), 'FM9,999,999,999') FROM apps_customers_customer c JOIN apps_tenants_tenant t ON t.id = c.tenant_id WHERE schema_name = 'test_acme';
SELECT count(*) FROM post_office_email;
SQL
}
# username|customers of tenants that are not the testers'
owners()
{
	sql "$1" <<'SQL'
SELECT coalesce(u.username, '(nobody)'), count(*) FROM apps_customers_customer c JOIN apps_tenants_tenant t ON t.id = c.tenant_id LEFT JOIN auth_user u ON u.id = c.owner_id
WHERE t.schema_name NOT LIKE 'test\_%' GROUP BY 1 ORDER BY 2 DESC, 1
SQL
}

# One customer of production with its first contact, column|value a line.
customer()                                  # SIDE ID
{
	{ echo "\\set id $2"; cat; } <<'SQL' | sql "$1"
SELECT key, value FROM (SELECT c.name AS "customer's name", c.email AS "e-mail", c.phone, t.first_name || ' ' || t.last_name AS contact, t.email AS "contact's e-mail", t.birthday AS "contact's birthday"
	FROM apps_customers_customer c JOIN apps_customers_contact t ON t.customer_id = c.id WHERE c.id = :id ORDER BY t.id LIMIT 1) one, json_each_text(row_to_json(one));
SQL
}

# ---- the tester ----
# One session that reads and writes all the time and finds its tenant by name, as an application does. Files in $1: figures (reads,
# writes, errors, longest wait in microseconds), tenants (every number of tenants it saw, in order), errors.
tester()
{
	local out=$1 answer line begun took longest=0 reads=0 writes=0 errors=0 n=0 seen='' stop=false
	trap 'stop=true' TERM
	coproc SESSION { exec psql -XAtq -d app 2>&1; }
	ask()
	{
		begun=${EPOCHREALTIME/./}
		printf '%s;\n\\echo .\n' "$1" >&"${SESSION[1]}"
		answer=''
		while read -r line <&"${SESSION[0]}" && [[ $line != . ]]; do
			if [[ $line == *ERROR:* || $line == *FATAL:* || $line == *"connection to server"* ]]; then errors=$((errors + 1)); echo "$line" >>"$out/errors"; fi
			answer=$line
		done
		took=$((${EPOCHREALTIME/./} - begun))
		if ((took > longest)); then longest=$took; fi
	}
	ask "SELECT 1"
	longest=0
	while ! $stop && kill -0 "${SESSION_PID:-0}" 2>/dev/null; do
		n=$((n + 1))
		ask "SELECT count(*) FROM apps_tenants_tenant"
		if [[ $answer != "$seen" ]]; then seen=$answer; echo "$seen" >>"$out/tenants"; fi
		ask "SELECT count(*), max(c.updated_at) FROM apps_customers_customer c JOIN apps_tenants_tenant t ON t.id = c.tenant_id WHERE schema_name = 'test_acme'"
		ask "SELECT sum(i.total) FROM apps_sales_invoice i JOIN apps_tenants_tenant t ON t.id = i.tenant_id WHERE schema_name = 'test_global'"
		ask "INSERT INTO apps_activity_log (verb, happened_at, tenant_id) SELECT 'demo $n', now(), id FROM apps_tenants_tenant WHERE schema_name = 'test_acme'"
		reads=$((reads + 3)) writes=$((writes + 1))
		read -rt 0.005 -u "${SESSION[0]}" line || :                     # a pause of 5 ms
		echo "$reads $writes $errors $longest" >"$out/figures"
	done
	printf '\\q\n' >&"${SESSION[1]}"
	wait "$SESSION_PID" || :
}
notes=$(mktemp -d)

# ---- the refresh ----
mapfile -t before < <(facts)
mapfile -t theirs < <(owners production)
someone=$(sql production <<<"SELECT min(c.id) FROM apps_customers_customer c JOIN apps_customers_contact t ON t.customer_id = c.id WHERE c.email <> '' AND t.email <> ''")
mapfile -t real < <(customer production "$someone")
type_it prodsync plan --from production --to uat
(
	eval "$(cluster env uat)"
	tester "$notes"
) &
tester=$!
until [[ -s $notes/figures ]]; do kill -0 "$tester" 2>/dev/null || exit 1; sleep 0.02; done
type_it prodsync sync --from production --to uat --yes
sleep 0.2                                   # the tester goes on for a moment
kill "$tester"
wait "$tester" || :
tester=''
read -r reads writes errors longest <"$notes/figures"
mapfile -t after < <(facts)
mapfile -t ours < <(owners uat)
mapfile -t masked < <(customer uat "$someone")
IFS='|' read -r rows seconds < <(sql uat <<<"SELECT rows, round(extract(epoch FROM switched - started), 2) FROM sync_runs ORDER BY run DESC LIMIT 1")
logged=$(sql uat <<<"SELECT count(*) FROM apps_activity_log WHERE verb LIKE 'demo %'")

# ---- before and after ----
thousands() { printf "%'d" "$1" 2>/dev/null | LC_ALL=C sed -E ':a; s/^([0-9]+)([0-9]{3})/\1,\2/; ta'; }
line() { printf '  %-38s %13s   %13s   %s\n' "$@" | sed 's/ *$//'; }
title "uat, before and after"
line "" before after ""
same="not the same"
if [[ ${before[0]} == "${after[0]}" ]]; then same="the same, value by value"; fi
line "testers' rows that were compared" "${before[0]%%|*}" "${after[0]%%|*}" "$same"
line "all customers" "${before[2]}" "${after[2]}" "production's, and the testers'"
line "all invoices" "${before[3]}" "${after[3]}" ""
line "highest id of a customer of test_acme" "${before[4]}" "${after[4]}" "out of the way of production's ids"
line "mails waiting to be sent" "${before[5]}" "${after[5]}" "none of production's, nobody gets a mail"
printf '  %-38s before: %s\n' "tenants that are not the testers'" "${before[1]}"
printf '  %-38s after:  %s\n' "" "${after[1]}"

title "One customer, number $someone"
printf '  %-22s %-34s %s\n' "" "in production" "in uat now"
for i in "${!real[@]}"; do printf '  %-22s %-34s %s\n' "${real[i]%%|*}" "${real[i]#*|}" "${masked[i]#*|}"; done

title "Whose production's customers are"
line "" "in production" "in uat now" ""
declare -A there=() here=()
for row in "${theirs[@]}"; do there[${row%|*}]=${row##*|}; done
for row in "${ours[@]}"; do here[${row%|*}]=${row##*|}; done
others=0 people=0
for name in "${!there[@]}"; do
	if [[ -z ${here[$name]:-} ]]; then others=$((others + there[$name])) people=$((people + 1)); fi
done
for row in "${ours[@]}"; do
	name=${row%|*}
	if [[ $name == "(nobody)" ]]; then why=""
	elif [[ -n ${there[$name]:-} ]]; then why="a user of this name is in uat"
	else why="stands for the users that uat does not know"; fi
	was=-
	if [[ -n ${there[$name]:-} ]]; then was=$(thousands "${there[$name]}"); fi
	line "$name" "$was" "$(thousands "${here[$name]}")" "$why"
done
line "$people other users of production" "$(thousands "$others")" - ""

type_it prodsync check --to uat

title "Meanwhile, the tester"
printf '  %s reads and %s writes, %s; %s of the %s rows written are there\n' "$(thousands "$reads")" "$(thousands "$writes")" \
	"$( ((errors)) && echo "$errors errors" || echo "no error")" "$( ((logged == writes)) && echo all || thousands "$logged")" "$(thousands "$writes")"
printf '  longest wait: %s ms;  tenants seen: %s, nothing in between\n' "$((longest / 1000))" "$(paste -sd, "$notes/tenants" | sed 's/,/, then /g')"
printf '\n%s%s rows in %s s: %s rows per second, verified and switched%s\n' "$bold" "$(thousands "$rows")" "$seconds" \
	"$(thousands "$(awk -v r="$rows" -v s="$seconds" 'BEGIN { printf "%d", r / s }')")" "$plain"
if ((errors)); then sed 's/^/  /' "$notes/errors" | head -n 5; fi
rm -rf "$notes"

title "Look around"
cat <<TEXT
  psql -h $room/uat -U postgres app
  psql -h $room/production -U postgres app
  client/prodsync runs --last --to uat --config $base/prodsync.yaml
  make demo-stop        when you have seen enough
TEXT
if [[ ${before[0]} != "${after[0]}" || $errors != 0 || $logged != "$writes" ]]; then exit 1; fi
