-- Each conversion and each validity rule once. GB is decimal, 10^9 bytes.
create or replace macro ms(ns) as ns / 1e6;
create or replace macro gb(bytes) as bytes / 1e9;
create or replace macro per_s(count, ns) as count * 1e9 / nullif(ns, 0);
create or replace macro geomean(x) as exp(avg(ln(x)));
create or replace macro slug(x) as trim(regexp_replace(lower(x), '[^a-z0-9.]+', '-', 'g'), '-');

-- Machines with the same name are taken as equal.
create or replace macro machine_name(chip, gpu_cores, cpu_cores, memory_bytes) as
    slug(concat_ws(
        '-', coalesce(chip, 'unknown'), coalesce(gpu_cores || 'gpu', cpu_cores || 'c'),
        cast(round(memory_bytes / 1073741824) as integer) || 'gb'
    ));

-- A model's name without publisher, variant, file ending, and the words for format and quantization at its end.
create or replace macro model_core(key) as
    regexp_replace(
        regexp_replace(split_part(regexp_extract(lower(key), '[^/]*$'), '@', 1), '(-[0-9]{5}-of-[0-9]{5})?\.gguf$', ''),
        '([-_.](gguf|mlx|(ud-)?i?q[0-9]_[a-z0-9_]+|b?f16|f32|mxfp4|[0-9]+-?bit(-dwq)?))+$', ''
    );

-- Nominal bits per weight from a quantization's name: Q4_K_M and 4bit are both 4.
create or replace macro nominal_bits(quantization) as
    case
        when quantization ilike '%f32%' then 32
        when quantization ilike '%f16%' then 16
        else try_cast(regexp_extract(quantization, '(?i)(?:q|mxfp)?([0-9]+)', 1) as integer)
    end;

-- What llama.cpp calls "Q4_K - Medium" when it is asked is Q4_K_M everywhere else, and "Q2_K - Medium" is Q2_K.
create or replace macro quantization_name(name) as
    if(name = 'Q2_K - Medium', 'Q2_K', regexp_replace(name, ' - ([SML])(mall|edium|arge)$', '_\1'));

-- Real bits per weight of MLX: a group of 64 has a scale and a bias of 16 bits.
create or replace macro mlx_bits(bits) as if(bits < 16, bits + 0.5, bits);

-- A slope or correlation over points that do not spread is not a number: unknown.
create or replace macro finite(x) as if(isfinite(x), x, null);

-- Student-t quantile for 95 %; more than 120 degrees of freedom are treated as 120, which is wider.
create or replace macro t_of(degrees) as (select t975 from quantiles where df = least(degrees, 120));
-- The same plus that for a power of 80 %: times a standard error, the smallest difference that would be found.
create or replace macro t_found(degrees) as (select t975 + t80 from quantiles where df = least(degrees, 120));
-- Factors on a standard deviation for its 95 % interval.
create or replace macro sd_low(degrees) as (select sqrt(df / chi975) from quantiles where df = least(degrees, 120));
create or replace macro sd_high(degrees) as (select sqrt(df / chi025) from quantiles where df = least(degrees, 120));

create or replace macro std_error(x) as stddev_samp(x) / sqrt(count(x));

-- Wilson's 95 % interval of a pass rate.
create or replace macro wilson(passed, total, side) as
    (passed + 1.9207294103470628 + side * 1.959963984540054 * sqrt(passed * (total - passed) / total + 0.9603647051735314))
    / (total + 3.8414588206941256);
create or replace macro wilson_low(passed, total) as if(total > 0, wilson(passed, total, -1), null);
create or replace macro wilson_high(passed, total) as if(total > 0, wilson(passed, total, 1), null);

-- Exact two-sided sign test, which is McNemar's of flips: how likely at most so uneven a split is if both are as good; ties are left out.
create or replace macro sign_test(won, lost) as
    if(won + lost > 0, least(1, 2 * list_sum(list_transform(
        range(0, least(won, lost) + 1),
        lambda k: exp(lgamma(won + lost + 1) - lgamma(k + 1) - lgamma(won + lost - k + 1) - (won + lost) * ln(2))
    ))), null);

-- Four verdicts with a margin of 3 %: the whole interval beyond it, within it, on one side of 1, or none of these.
create or replace macro ratio_verdict(center, margin, above, below) as
    case
        when margin is null then 'inconclusive'
        when center - margin > ln(1.03) then above
        when center + margin < -ln(1.03) then below
        when center - margin > -ln(1.03) and center + margin < ln(1.03) then 'equivalent'
        when center - margin > 0 or center + margin < 0 then 'small difference'
        else 'inconclusive'
    end;

-- The same with the sides' names: 'a faster' becomes 'MLX faster'.
create or replace macro sided(verdict, a, b) as
    case
        when starts_with(verdict, 'a ') then a || substr(verdict, 2)
        when starts_with(verdict, 'b ') then b || substr(verdict, 2)
        else verdict
    end;

-- A flaw of what was written is no failure of the request: its speed counts.
create or replace macro is_failure(kind) as
    kind is not null and kind not in ('truncated_in_reasoning', 'template_leak');

-- Our clock stands still while the machine sleeps, and who wakes up may have lost what was in the caches.
create or replace macro has_slept(slept_ms) as coalesce(slept_ms > 500, false);

-- Half a 95 % interval over runs: requests of one run are not independent, so from three runs on it is the wider of the
-- one between runs and the one within them. `center`, `se`, `degrees`: of each run.
create or replace macro pooled_margin(center, se, degrees) as
    greatest(
        sqrt(sum(se * se)) / count(se) * t_of(sum(degrees)::bigint),
        if(count(center) >= 3, stddev_samp(center) / sqrt(count(center)), null) * t_of(count(center) - 1)
    );

-- Memory that a machine should have for a peak: a quarter stays free, unless its wired limit was set and allows more.
create or replace macro budget_for(peak_gb, wired_limit_gb, machine_memory_gb) as
    if(wired_limit_gb > 0 and peak_gb <= wired_limit_gb, least(peak_gb / 0.75, machine_memory_gb), peak_gb / 0.75);

-- The budgets that are asked about: whole GB, tenths below 10.
create or replace macro budget_edge(budget_gb) as if(budget_gb < 10, ceil(budget_gb * 10) / 10, ceil(budget_gb));

-- A model's name as a word of a command; one that a shell might read otherwise is left for the person to fill in.
create or replace macro shell_word(name) as if(regexp_full_match(name, '[A-Za-z0-9][A-Za-z0-9._@/+-]*'), name, 'KEY');

-- A ratio with its interval, as a sentence has it.
create or replace macro ratio_text(ratio, low, high) as
    format('{:.2f} ', ratio) || if(low is null, 'without interval', format('[{:.2f}, {:.2f}]', low, high));

-- Who is ahead by a verdict of MLX against llama.cpp; `is_worse`: what the verdict names is the one behind.
create or replace macro ahead_of(verdict, word, is_worse) as
    case
        when verdict in ('equivalent', 'small difference') then 'level'
        when verdict = 'MLX ' || word then if(is_worse, 'llama.cpp', 'MLX')
        when verdict = 'llama.cpp ' || word then if(is_worse, 'MLX', 'llama.cpp')
    end;

-- A figure with its interval and of what it is, as one value: arg_max passes over NULL, and would mix two comparisons.
create or replace macro headline(value, low, high, name) as
    {'value': value::double, 'low': low::double, 'high': high::double, 'name': name::varchar};

-- What several comparisons say together: of their verdicts those that decide something, each once, NULL left out.
create or replace macro joint_verdict(comparison_count, verdicts, otherwise) as
    case
        when comparison_count = 0 then 'not measured'
        when coalesce(len(list_filter(verdicts, lambda one: one is not null)), 0) = 0 then 'inconclusive'
        when len(list_filter(verdicts, lambda one: one is not null)) = 1
            then list_filter(verdicts, lambda one: one is not null)[1]
        else otherwise
    end;

-- Whether a question's verdict answers it.
create or replace macro is_answer(verdict) as verdict not in ('not measured', 'not all measured', 'inconclusive');
