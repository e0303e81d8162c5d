-- One UPDATE per user column. Columns in a unique index are left out: there it fails as soon as two users become one.
SELECT format('UPDATE %s SET %2$I = %s WHERE %2$I IS NOT NULL', k.conrelid::regclass, a.attname,
    (SELECT id FROM auth_user WHERE is_superuser ORDER BY id LIMIT 1))
FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
WHERE k.contype = 'f' AND k.confrelid = 'auth_user'::regclass AND k.conparentid = 0
  AND k.conrelid::regclass::text !~ '^(auth_|django_|authtoken_|apps_accounts_profile)'
  AND NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = k.conrelid AND x.indisunique AND a.attnum = ANY (x.indkey))
ORDER BY 1 \gexec
