"""Functions: which are the database's own, which look at the clock, and which hide what they do.

SQL Server calls no function of a user's own without its schema, but in FROM; for other databases a name
that is not here is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wats_accel.sql.reading.words import words

_COMMON: Final = """
abs acos asin atan avg cast ceil ceiling coalesce concat cos count cume_dist degrees dense_rank exp
first_value floor greatest lag last_value lead least length ln log lower lpad ltrim max min mod nth_value
ntile nullif octet_length percent_rank percentile_cont percentile_disc pi power radians rank replace round
row_number rpad rtrim sign sin sqrt stddev stddev_pop stddev_samp substr substring sum tan trim trunc
upper var_pop var_samp variance grouping extract position char_length character_length overlay treat convert
json_object json_array json_value json_query json_exists json_table json_arrayagg json_objectagg json_scalar
json_serialize xmlelement xmlattributes xmlforest xmlagg xmlconcat xmlparse xmlserialize xmlroot xmlexists
xmlquery xmltable xmlnamespaces
xmlcomment xmlpi collect array_agg listagg corr covar_pop covar_samp regr_slope
regr_intercept regr_count regr_r2 regr_avgx regr_avgy regr_sxx regr_syy regr_sxy every any_value
rollup cube sets grouping_id group_id row unnest if_null bit_length
char varchar nchar nvarchar character decimal numeric dec number float double real int integer bigint
smallint tinyint bit binary varbinary date time timestamp datetime datetime2 datetimeoffset interval text
clob blob varchar2 nvarchar2 bpchar varying precision signed unsigned timestamptz timetz boolean bool
lateral array table
"""
_SQLITE: Final = """
acosh asinh atan2 atanh bm25 char concat_ws cosh date datetime format glob group_concat hex highlight
ifnull iif instr json json_array_length json_each json_error_position json_extract json_group_array
json_group_object json_insert json_patch json_pretty json_quote json_remove json_replace json_set json_tree
json_type json_valid jsonb jsonb_array jsonb_each jsonb_extract jsonb_group_array jsonb_group_object
jsonb_insert jsonb_object jsonb_patch jsonb_remove jsonb_replace jsonb_set jsonb_tree julianday like
likelihood likely log10 log2 match matchinfo offsets pow printf quote regexp rtreecheck sinh snippet soundex
sqlite_compileoption_get sqlite_compileoption_used sqlite_source_id sqlite_version sqlite_offset strftime
string_agg subtype tanh time timediff total typeof unhex unicode unistr unistr_quote unixepoch unlikely
zeroblob median percentile generate_series raise collate
"""
_POSTGRES: Final = """
acosd acosh age array_append array_cat array_dims array_fill array_length array_lower array_ndims
array_position array_positions array_prepend array_remove array_replace array_reverse array_sample
array_shuffle array_sort array_to_json array_to_string array_to_tsvector array_upper ascii asind asinh
atan2 atan2d atand atanh bit_and bit_count bit_or bit_xor bool_and bool_or bound_box box broadcast btrim
cardinality casefold cbrt center chr circle concat_ws convert_from convert_to cosd cosh cot cotd crc32
crc32c current_database current_schema current_schemas current_setting date_add date_bin date_part
date_subtract date_trunc decode diagonal diameter div encode erf erfc factorial family format format_type
gamma gcd generate_series generate_subscripts get_bit get_byte get_current_ts_config hashtext
hashtextextended height host hostmask inet_merge inet_same_family initcap isempty isfinite json_agg
json_array_elements json_array_elements_text json_array_length json_build_array json_build_object json_each
json_each_text json_extract_path json_extract_path_text json_object_agg json_object_keys
json_populate_record json_populate_recordset json_strip_nulls json_to_record json_to_recordset json_typeof
jsonb_agg jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array
jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_insert
jsonb_object jsonb_object_agg jsonb_object_keys jsonb_path_exists jsonb_path_exists_tz jsonb_path_match
jsonb_path_match_tz jsonb_path_query jsonb_path_query_array jsonb_path_query_array_tz
jsonb_path_query_first jsonb_path_query_first_tz jsonb_path_query_tz jsonb_populate_record
jsonb_populate_recordset jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record
jsonb_to_recordset jsonb_typeof justify_days justify_hours justify_interval lcm left line log10 lseg
lower_inc lower_inf macaddr8_set7bit make_date make_interval make_time make_timestamp make_timestamptz
masklen md5 min_scale mode multirange netmask network normalize num_nonnulls num_nulls numnode
obj_description col_description shobj_description parse_ident path pclose phraseto_tsquery
plainto_tsquery point polygon popen pow querytree quote_ident quote_literal quote_nullable radius
range_agg range_intersect_agg range_merge regexp_count regexp_instr regexp_like regexp_match
regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr repeat reverse
right row_to_json scale set_bit set_byte set_masklen setweight sha224 sha256 sha384 sha512 sind sinh slope
split_part starts_with statement_timestamp string_agg string_to_array string_to_table strip strpos tand
tanh text to_ascii to_bin to_char to_date to_hex to_json to_jsonb to_number to_oct to_regclass to_regproc
to_regrole to_regtype to_regnamespace to_timestamp to_tsquery to_tsvector translate trim_array trim_scale
ts_debug ts_delete ts_filter ts_headline ts_lexize ts_parse ts_rank ts_rank_cd ts_rewrite ts_token_type
tsquery_phrase tsvector_to_array unicode_assigned upper_inc upper_inf uuid_extract_timestamp
uuid_extract_version version websearch_to_tsquery width width_bucket xml_is_well_formed
xml_is_well_formed_content xml_is_well_formed_document xmlvalidate xpath xpath_exists nextval setval
int4range int8range numrange tsrange tstzrange daterange int4multirange int8multirange nummultirange
tsmultirange tstzmultirange datemultirange pg_typeof pg_sleep pg_get_viewdef pg_get_constraintdef
pg_get_indexdef pg_get_functiondef pg_get_expr pg_get_userbyid pg_get_serial_sequence pg_table_is_visible
pg_total_relation_size pg_relation_size pg_table_size pg_indexes_size pg_database_size pg_size_pretty
pg_column_size pg_encoding_to_char pg_advisory_lock pg_advisory_unlock pg_advisory_xact_lock
pg_try_advisory_lock pg_try_advisory_xact_lock pg_notify pg_backend_pid has_table_privilege
has_column_privilege has_schema_privilege has_database_privilege merge_action from only int4 int8 int2
float4 float8 oid regclass jsonb json varbit bytea cidr inet lower_inf timezone rows lateral
"""
_MYSQL: Final = """
adddate addtime aes_decrypt aes_encrypt any_value ascii atan2 bin bit_and bit_count bit_or bit_xor
char_length charset coercibility collation compress concat_ws conv convert_tz cot crc32 date date_add
date_format date_sub datediff day dayname dayofmonth dayofweek dayofyear elt export_set extractvalue field
find_in_set format format_bytes from_base64 from_days from_unixtime get_format get_lock group_concat hex
hour if ifnull inet6_aton inet6_ntoa inet_aton inet_ntoa insert instr interval is_ipv4 is_ipv6 is_uuid
isnull json_array_append json_array_insert json_contains json_contains_path json_depth json_extract
json_insert json_keys json_length json_merge json_merge_patch json_merge_preserve json_overlaps
json_pretty json_quote json_remove json_replace json_schema_valid json_search json_set
json_storage_size json_type json_unquote json_valid last_day lcase left locate log10 log2 make_set makedate
maketime match against md5 microsecond mid minute month monthname name_const now oct ord password
period_add period_diff pow quarter quote regexp_instr regexp_like regexp_replace regexp_substr
release_lock repeat reverse right sec_to_time second sha sha1 sha2 sleep soundex space std str_to_date
strcmp subdate substring_index subtime sysdate time time_format time_to_sec timediff timestamp
timestampadd timestampdiff unix_timestamp
to_base64 to_days to_seconds truncate ucase uncompress unhex updatexml
uuid_to_bin bin_to_uuid values version week weekday weekofyear weight_string year yearweek utc_date
utc_time utc_timestamp st_area st_asgeojson st_astext st_contains st_distance st_geomfromtext st_within
point polygon
"""
_ORACLE: Final = """
add_months ascii ascii_str bitand cardinality chartorowid chr cluster_id compose convert current_date
dbtimezone decode decompose dump empty_blob empty_clob existsnode extractvalue first from_tz hextoraw initcap
instr keep last last_day lnnvl localtimestamp median months_between nanvl new_time next_day nls_initcap
nls_lower nls_upper nlssort numtodsinterval numtoyminterval nvl nvl2 ora_hash ratio_to_report rawtohex
regexp_count regexp_instr regexp_like regexp_replace regexp_substr remainder rowidtochar scn_to_timestamp
sessiontimezone soundex standard_hash stats_mode sys_connect_by_path sys_extract_utc sysdate systimestamp
tanh to_binary_double to_binary_float to_char to_clob to_date to_dsinterval to_lob to_multi_byte to_nchar
to_nclob to_number to_single_byte to_timestamp to_timestamp_tz to_yminterval translate tz_offset
uid unistr vsize wm_concat xmltype
"""
_TSQL: Final = """
isnull dateadd datediff datediff_big datepart datename datetrunc date_bucket eomonth datefromparts
datetimefromparts datetime2fromparts timefromparts switchoffset todatetimeoffset isdate isnumeric len
charindex patindex stuff replicate reverse left right ascii char nchar unicode str space soundex difference
quotename string_escape string_agg concat_ws format translate iif choose try_cast try_convert parse try_parse
convert square atn2 rand log10 cot checksum binary_checksum checksum_agg count_big stdev stdevp var varp
approx_count_distinct hashbytes compress decompress isjson json_modify json_path_exists day month year
datalength col_length col_name objectproperty columnproperty indexproperty typeproperty typename type_id
type_name object_name object_schema_name schema_name schema_id file_name error getdate getutcdate
sysdatetime sysutcdatetime sysdatetimeoffset newid greatest least bit_count get_bit set_bit left_shift
right_shift contains freetext update columns_updated eventdata formatmessage min_active_rowversion
parsename string_split openjson trigger_nestlevel
"""
_BY_DIALECT: Final[Mapping[str, frozenset[str]]] = {
    "sqlite": frozenset((_COMMON + _SQLITE).split()),
    "postgres": frozenset((_COMMON + _POSTGRES).split()),
    "mysql": frozenset((_COMMON + _MYSQL).split()),
    "oracle": frozenset((_COMMON + _ORACLE).split()),
}
_ANYBODYS: Final = frozenset((_COMMON + _SQLITE + _POSTGRES + _MYSQL + _ORACLE + _TSQL).split())
_TSQL_TABLE_FUNCTIONS: Final = words(
    "openjson string_split generate_series openxml changetable containstable freetexttable "
    "semantickeyphrasetable semanticsimilaritytable predict ai_generate_chunks regexp_matches "
    "regexp_split_to_table nodes values fn_helpcollations"
)

CLOCK: Final = words(
    "getdate sysdatetime sysdatetimeoffset getutcdate sysutcdatetime now clock_timestamp "
    "statement_timestamp transaction_timestamp timeofday curdate curtime utc_date utc_time "
    "utc_timestamp sysdate systimestamp current_timestamp current_date current_time localtime "
    "localtimestamp current_timestamp_utc current_timezone today getansinow"
)
"""Functions that tell the time, with parentheses behind them."""
CLOCK_WORDS: Final = words(
    "CURRENT_TIMESTAMP CURRENT_DATE CURRENT_TIME LOCALTIME LOCALTIMESTAMP SYSDATE SYSTIMESTAMP "
    "UTC_DATE UTC_TIME UTC_TIMESTAMP"
)
"""Words that tell the time by themselves."""
_STANDARD_CLOCK: Final = words("CURRENT_TIMESTAMP CURRENT_DATE CURRENT_TIME")
CLOCK_WORDS_OF: Final[Mapping[str, frozenset[str]]] = {
    "tsql": frozenset({"CURRENT_TIMESTAMP"}),
    "sqlite": _STANDARD_CLOCK,
    "postgres": _STANDARD_CLOCK | {"LOCALTIME", "LOCALTIMESTAMP"},
    "mysql": CLOCK_WORDS - {"SYSDATE", "SYSTIMESTAMP"},
    "oracle": words("CURRENT_TIMESTAMP CURRENT_DATE LOCALTIMESTAMP SYSDATE SYSTIMESTAMP"),
    "": _STANDARD_CLOCK,
}
"""Those that can be nothing else there; the others may be columns, too."""
WITHOUT_ARGUMENTS: Final[Mapping[str, int]] = {
    "date": 0, "time": 0, "datetime": 0, "julianday": 0, "unixepoch": 0, "strftime": 1, "unix_timestamp": 0,
    "age": 1,
}  # fmt: skip
"""Functions that tell the time if they have no more arguments than this."""
CLOCK_LITERALS: Final = frozenset({"now", "today", "tomorrow", "yesterday"})

SESSION: Final = words(
    "change_tracking_current_version min_active_rowversion "
    "scope_identity ident_current last_insert_rowid lastval currval nextval setval changes total_changes "
    "last_insert_id row_count rowcount_big found_rows identity_current original_login suser_sname "
    "suser_name suser_id suser_sid user_name user_id host_name host_id app_name db_name db_id "
    "session_context context_info current_user session_user system_user user current_role is_member "
    "is_rolemember is_srvrolemember has_perms_by_name current_setting set_config connection_id "
    "current_transaction_id xact_state current_database database schema pg_backend_pid "
    "pg_current_xact_id txid_current sessionproperty sys_context userenv inet_client_addr "
    "cursor_status object_id current_schema current_schemas error_number error_message error_severity "
    "error_state error_line error_procedure get_lock pg_my_temp_schema serverproperty "
    "databasepropertyex current_request_id col_length to_regclass object_name objectproperty "
    "objectpropertyex columnproperty col_name index_col indexproperty stats_date schema_id type_id "
    "pg_relation_size pg_total_relation_size pg_table_size pg_indexes_size pg_database_size"
)
"""What these give depends on the session, its user, on what it has just done, or on the catalogue."""
OF_OBJECTS: Final = frozenset({"object_id", "col_length", "to_regclass"})
"""Their first argument is the name of a table; what they give changes with its definition only."""
AFTERWARDS: Final = words(
    "changes row_count rowcount_big xact_state error_number error_message error_severity error_state "
    "error_line error_procedure @@rowcount @@error @@trancount @@fetch_status cursor_status object_id"
)
"""Of these, what the text knows by itself where it has done something before."""
SESSION_WORDS: Final = words(
    "CURRENT_USER SESSION_USER SYSTEM_USER CURRENT_ROLE CURRENT_CATALOG CURRENT_SCHEMA"
)
RANDOM: Final = words(
    "random randomblob newid newsequentialid gen_random_uuid uuidv4 uuidv7 uuid rand uuid_generate_v4 "
    "uuid_generate_v1 crypt_gen_random random_normal gen_salt gen_random_bytes sys_guid uuid_short "
    "random_bytes setseed"
)
HOSTILE: Final = words(
    "query_to_xml query_to_xml_and_xmlschema query_to_xmlschema cursor_to_xml table_to_xml "
    "schema_to_xml database_to_xml table_to_xml_and_xmlschema table_to_xmlschema dblink dblink_exec "
    "dblink_send_query openquery openrowset opendatasource openxml load_extension pg_read_file "
    "pg_read_binary_file pg_ls_dir pg_stat_file lo_import lo_export lo_get lo_put lo_create lo_unlink "
    "lo_from_bytea loread lowrite ts_stat ts_rewrite load_file readfile writefile edit fts3_tokenizer "
    "sys_exec sys_eval eval pg_execute_server_program pg_logical_slot_get_changes "
    "pg_terminate_backend dbms_random xp_cmdshell"
)
"""These touch what is named in a value, if anywhere."""
WHOLE_TABLES: Final = frozenset({"containstable", "freetexttable", "changetable", "semantickeyphrasetable"})
"""Their first argument is the name of a table."""
XML_METHODS: Final = words(
    "value nodes exist query modify write tostring getlevel getancestor isdescendantof getdescendant "
    "parse stastext stdistance stcontains stwithin stintersects starea stlength stasbinary stx sty "
    "lat long getreparentedvalue"
)
"""Methods that SQL Server has for values of some types: what stands before them is a column."""


def is_builtin(name: str, dialect: str, *, in_from: bool) -> bool:
    """Whether a function that is called without its schema is the database's own."""
    if dialect == "tsql":
        return not in_from or name in _TSQL_TABLE_FUNCTIONS
    if dialect == "sqlite" and name.startswith("pragma_"):
        return True
    return name in _BY_DIALECT.get(dialect, _ANYBODYS)
