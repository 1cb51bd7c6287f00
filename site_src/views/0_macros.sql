-- Each conversion and each validity rule once. GB is decimal, 10^9 bytes.
create or replace macro ms(ns) as ns / 1e6;
create or replace macro gb(bytes) as bytes / 1e9;
create or replace macro per_s(count, ns) as count * 1e9 / nullif(ns, 0);
create or replace macro geomean(x) as exp(avg(ln(x)));
create or replace macro slug(x) as trim(regexp_replace(lower(x), '[^a-z0-9.]+', '-', 'g'), '-');

-- A model's name without publisher, variant, file ending, and the words for format and quantization at its end.
create or replace macro model_core(key) as
    regexp_replace(
        regexp_replace(split_part(regexp_extract(lower(key), '[^/]*$'), '@', 1), '\.gguf$', ''),
        '([-_.](gguf|mlx|(ud-)?i?q[0-9]_[a-z0-9_]+|bf16|f16|mxfp4|[0-9]+-?bit(-dwq)?))+$', ''
    );

-- Nominal bits per weight from a quantization's name: Q4_K_M and 4bit are both 4.
create or replace macro nominal_bits(quantization) as
    case
        when quantization ilike '%f32%' then 32
        when quantization ilike '%f16%' then 16
        else try_cast(regexp_extract(quantization, '(?i)(?:q|mxfp)?([0-9]+)', 1) as integer)
    end;

-- Student-t quantile for 95 %; more than 40 degrees of freedom are treated as 40, which is wider.
create or replace macro t_of(degrees) as (select t from t975 where df = least(degrees, 40));

-- A flaw of what was written is no failure of the request: its speed counts.
create or replace macro is_failure(kind) as
    kind is not null and kind not in ('truncated_in_reasoning', 'template_leak');
