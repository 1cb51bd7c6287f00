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

-- What a server calls the model that answered, less what one model may be called with: a path, a number of its instance, a tag.
create or replace macro answering_name(name) as
    regexp_replace(regexp_extract(lower(name), '[^/]*$'), '(-[0-9]{5}-of-[0-9]{5})?(\.gguf)?(:[0-9]+|:latest)?$', '');

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

-- The same of two sides with so many runs each: what one run a side shows may be the day's, or the hour's. And an interval
-- from within runs decides nothing, however many there are.
create or replace macro sides_verdict(center, margin, interval_kind, a_runs, b_runs, above, below) as
    case
        when center is null then 'not comparable'
        when greatest(a_runs, b_runs) < 2 then 'one run a side'
        else ratio_verdict(center, if(interval_kind = 'within this run', null, margin), above, below)
    end;

-- The same of a time to first token. One run a side decides it only where one waits half as long again by the whole interval:
-- runs of one configuration have not been seen to differ by as much.
create or replace macro wait_verdict(center, margin, interval_kind, a_runs, b_runs, above, below) as
    if(
        greatest(a_runs, b_runs) < 2 and abs(center) - margin > ln(1.5), ratio_verdict(center, margin, above, below),
        sides_verdict(center, margin, interval_kind, a_runs, b_runs, above, below)
    );

-- The same of two versions of one configuration, where any change is worth a word: the interval excludes 1.
create or replace macro change_verdict(center, margin, a_runs, b_runs, above, below) as
    case
        when center is null then 'not comparable'
        when greatest(a_runs, b_runs) < 2 then 'one run a side'
        when center - margin > 0 then above
        when center + margin < 0 then below
        when center - margin > -ln(1.03) and center + margin < ln(1.03) then 'equivalent'
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

-- whether the client did not run: stopped by Ctrl-Z or a debugger, its clock went on
create or replace macro stood_still(stood_ms) as coalesce(stood_ms > 500, false);

-- What a median costs beside a mean: its standard error is larger by at most sqrt(pi / 2) where values are normal (its
-- asymptotic relative efficiency is 2 / pi), and as large up to two values, where both are the same.
create or replace macro median_price(count) as if(count <= 2, 1, sqrt(pi() / 2));

-- Welch's and Satterthwaite's degrees of freedom of a variance that is a sum: of parts and their own degrees of freedom.
-- A part without spread has none to add.
create or replace macro satterthwaite(total, x, x_degrees, y, y_degrees) as
    greatest(total * total / nullif(
        if(x > 0, x * x / x_degrees, 0) + if(y > 0, y * y / y_degrees, 0), 0
    ), 1);

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

-- How much is behind a comparison of speeds, as a sentence has it.
create or replace macro sample_text(request_count, runs_a_side) as
    format('n = {}', request_count)
    || case when runs_a_side = 1 then ', one run a side' when runs_a_side > 1 then format(', {} runs a side', runs_a_side) else '' end;

-- Who is ahead by a verdict of MLX against llama.cpp; `is_worse`: what the verdict names is the one behind.
create or replace macro ahead_of(verdict, word, is_worse) as
    case
        when verdict in ('equivalent', 'small difference') then 'level'
        when verdict = 'MLX ' || word then if(is_worse, 'llama.cpp', 'MLX')
        when verdict = 'llama.cpp ' || word then if(is_worse, 'MLX', 'llama.cpp')
    end;

-- A figure with its interval and of what it is, as one value: arg_max passes over NULL, and would mix two comparisons.
create or replace macro headline(value, low, high, name, runs := null, kind := null) as
    {
        'value': value::double, 'low': low::double, 'high': high::double, 'name': name::varchar, 'runs': runs::bigint,
        'kind': kind::varchar
    };

-- What several comparisons say together, undecided ones included. `undecided`: verdicts that decide nothing.
create or replace macro is_undecided(verdict) as verdict in ('inconclusive', 'one run a side');
create or replace macro known_of(verdicts) as list_distinct(list_filter(coalesce(verdicts, []), lambda one: one is not null));
create or replace macro decided_of(verdicts) as list_filter(known_of(verdicts), lambda one: not is_undecided(one));
create or replace macro joint_verdict(comparison_count, verdicts, otherwise) as
    case
        when comparison_count = 0 then 'not measured'
        when len(decided_of(verdicts)) > 1 then otherwise
        when len(decided_of(verdicts)) = 1
            then if(len(known_of(verdicts)) = 1, decided_of(verdicts)[1], 'not all decided')
        when list_contains(verdicts, 'one run a side') and not list_contains(verdicts, 'inconclusive') then 'one run a side'
        else 'inconclusive'
    end;

-- A verdict on a quantization against the reference, a being the one with fewer bits.
create or replace macro against_reference(is_reference, verdict, above, below) as
    case
        when is_reference then 'reference'
        when verdict like 'a %' then above
        when verdict like 'b %' then below
        else coalesce(verdict, 'not comparable')
    end;

-- Whether a question's verdict answers it.
create or replace macro is_answer(verdict) as
    verdict not in ('not measured', 'not all measured', 'not all decided', 'one run a side', 'inconclusive');

-- Whether two values cannot be told apart, the one with the lower end `low` and the one with the upper end `high`: their
-- intervals meet, or there is none, or one holds within its run alone.
create or replace macro are_level(low, high, interval_kinds) as
    coalesce(list_contains(interval_kinds, 'within this run') or low <= high, true);

-- Joules of the rails at these places: of all of them or none, for a sum of the others only would look like less.
create or replace macro joules_of(rails_j, places) as
    if(list_contains(list_transform(list_select(rails_j, places), lambda one: one is null), true), null, list_sum(list_select(rails_j, places)));
