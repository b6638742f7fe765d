"""What PostgreSQL's catalogue is asked. No parameters: drivers do not agree on how to write them."""

from __future__ import annotations

from typing import Final

_OWN = "n.nspname NOT LIKE 'pg!_%' ESCAPE '!' AND n.nspname <> 'information_schema'"

RELATIONS: Final = f"""
    SELECT c.oid, c.relname, CAST(c.relkind AS text) AS relkind
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {_OWN} AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    ORDER BY c.relname, n.nspname"""

COLUMNS: Final = f"""
    SELECT a.attrelid, a.attname, CASE WHEN a.attgenerated <> '' THEN 1 ELSE 0 END AS is_generated
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {_OWN} AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY n.nspname, c.relname, a.attnum"""

# Those that only refuse are left out.
FOREIGN_KEYS: Final = """
    SELECT k.oid, k.conrelid, k.confrelid, CAST(k.confdeltype AS text) AS confdeltype,
        CAST(k.confupdtype AS text) AS confupdtype, child.attname AS child, parent.attname AS parent
    FROM pg_constraint k
    CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS pairs (child, parent, number)
    JOIN pg_attribute child ON child.attrelid = k.conrelid AND child.attnum = pairs.child
    JOIN pg_attribute parent ON parent.attrelid = k.confrelid AND parent.attnum = pairs.parent
    WHERE k.contype = 'f' AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))
    ORDER BY CAST(CAST(k.conrelid AS regclass) AS text), k.conname, pairs.number"""

TRIGGERS: Final = f"""
    SELECT t.tgrelid, t.tgname, CAST(t.tgtype AS integer) AS tgtype, t.tgfoid
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND {_OWN}
    ORDER BY c.relname, t.tgname"""

RULES: Final = f"""
    SELECT r.ev_class, r.rulename, CAST(r.ev_type AS text) AS ev_type
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE r.rulename <> '_RETURN' AND {_OWN}
    ORDER BY c.relname, r.rulename"""

VIEWS: Final = f"""
    SELECT c.oid, pg_get_viewdef(c.oid) AS definition
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {_OWN} AND c.relkind = 'v'
    ORDER BY c.relname, n.nspname"""

PARTS_OF_VIEWS: Final = f"""
    SELECT DISTINCT r.ev_class, part.relname, a.attname
    FROM pg_rewrite r
    JOIN pg_class c ON c.oid = r.ev_class AND c.relkind = 'v'
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_depend d ON d.classid = CAST('pg_rewrite' AS regclass) AND d.objid = r.oid
        AND d.refclassid = CAST('pg_class' AS regclass) AND d.refobjid <> r.ev_class
    JOIN pg_class part ON part.oid = d.refobjid AND part.relkind IN ('r', 'p', 'v', 'm', 'f')
    LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND a.attnum > 0
    WHERE r.rulename = '_RETURN' AND {_OWN}
    ORDER BY r.ev_class, part.relname, a.attname"""

# Functions that defaults, checks and conditions of triggers call: when a row is written, they may write.
HIDDEN_CALLS: Final = f"""
    SELECT found.relation, p.proname
    FROM (
        SELECT f.adrelid AS relation, d.refobjid AS function
        FROM pg_attrdef f JOIN pg_depend d
            ON d.classid = CAST('pg_attrdef' AS regclass) AND d.objid = f.oid
        WHERE d.refclassid = CAST('pg_proc' AS regclass)
        UNION
        SELECT k.conrelid, d.refobjid
        FROM pg_constraint k JOIN pg_depend d
            ON d.classid = CAST('pg_constraint' AS regclass) AND d.objid = k.oid
        WHERE d.refclassid = CAST('pg_proc' AS regclass)
        UNION
        SELECT t.tgrelid, d.refobjid
        FROM pg_trigger t JOIN pg_depend d
            ON d.classid = CAST('pg_trigger' AS regclass) AND d.objid = t.oid AND d.refobjid <> t.tgfoid
        WHERE d.refclassid = CAST('pg_proc' AS regclass)
    ) AS found
    JOIN pg_proc p ON p.oid = found.function JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE {_OWN} AND p.provolatile = 'v'
    ORDER BY found.relation, p.proname"""

POLICIES: Final = """
    SELECT p.polrelid, p.polname, c.relname, pg_get_expr(p.polqual, p.polrelid) AS condition
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
    WHERE c.relrowsecurity AND p.polqual IS NOT NULL
    ORDER BY c.relname, p.polname"""

INHERITANCE: Final = """
    SELECT i.inhrelid, i.inhparent
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid AND c.relkind IN ('r', 'p', 'f')
    ORDER BY c.relname"""

PARTITION_KEYS: Final = """
    SELECT p.partrelid, a.attname
    FROM pg_partitioned_table p
    CROSS JOIN LATERAL unnest(CAST(p.partattrs AS smallint[])) AS number
    LEFT JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = number AND number > 0"""

_ROUTINE = """
    SELECT p.oid, p.proname, CAST(p.prokind AS text) AS prokind, CAST(p.provolatile AS text) AS provolatile,
        l.lanname, p.prosrc, n.nspname, {body} AS sqlbody,
        CASE WHEN p.prorettype = CAST('trigger' AS regtype) THEN 1 ELSE 0 END AS is_trigger"""

_FROM_ROUTINES = """
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang"""

_OF_NO_EXTENSION = """NOT EXISTS (
        SELECT 1 FROM pg_depend d
        WHERE d.classid = CAST('pg_proc' AS regclass) AND d.objid = p.oid AND d.deptype = 'e')"""

_ROUTINES = (
    _ROUTINE
    + _FROM_ROUTINES
    + f"""
    WHERE {_OWN} AND p.prokind IN ('f', 'p') AND {_OF_NO_EXTENSION}
    ORDER BY p.proname, p.oid"""
)
ROUTINES: Final = _ROUTINES.format(body="pg_get_function_sqlbody(p.oid)")
ROUTINES_BEFORE_14: Final = _ROUTINES.format(body="NULL")

# Of extensions, such as citext. What stands behind operators, casts, types and aggregates has no callers.
FUNCTIONS_OF_EXTENSIONS: Final = (
    "SELECT p.proname, MAX(CASE p.provolatile WHEN 'i' THEN 0 WHEN 's' THEN 1 ELSE 2 END) AS volatility"
    + _FROM_ROUTINES
    + f"""
    WHERE NOT {_OF_NO_EXTENSION} AND p.prokind = 'f'
        AND p.prorettype NOT IN (
            CAST('internal' AS regtype), CAST('cstring' AS regtype), CAST('trigger' AS regtype),
            CAST('language_handler' AS regtype))
        AND NOT EXISTS (SELECT 1 FROM pg_operator o WHERE p.oid IN (o.oprcode, o.oprrest, o.oprjoin))
        AND NOT EXISTS (SELECT 1 FROM pg_cast o WHERE o.castfunc = p.oid)
        AND NOT EXISTS (SELECT 1 FROM pg_amproc o WHERE o.amproc = p.oid)
        AND NOT EXISTS (SELECT 1 FROM pg_aggregate o WHERE p.oid IN (o.aggtransfn, o.aggfinalfn))
        AND NOT EXISTS (
            SELECT 1 FROM pg_type o WHERE p.oid IN (o.typinput, o.typoutput, o.typreceive, o.typsend))
        AND NOT EXISTS (
            SELECT 1 FROM pg_proc b JOIN pg_namespace bn ON bn.oid = b.pronamespace
            WHERE bn.nspname = 'pg_catalog' AND b.proname = p.proname)
    GROUP BY p.proname
    ORDER BY p.proname"""
)

TRIGGER_FUNCTIONS_OF_SYSTEM: Final = """
    SELECT p.oid, p.proname, l.lanname, p.prosrc, 1 AS is_foreign
    FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
    WHERE p.prorettype = CAST('trigger' AS regtype) AND p.oid IN (
        SELECT t.tgfoid FROM pg_trigger t WHERE NOT t.tgisinternal)"""
