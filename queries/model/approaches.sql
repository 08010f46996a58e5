-- /// model
-- title    = "What was done for each party, the first three days of each kind"
-- optional = ["*"]
-- ///
-- A day counts once. What they do with a campaign mail (open, click) is an answer and no approach; notes and tasks are ours alone.
with done as (
    select
        party_id,
        happened_on as done_on,
        case
            when department = 'campaign' then
                case when kind = 'campaign' or regexp_matches(kind, '(sent|send|deliver)') then 'campaign mail' end
            when regexp_matches(kind, '(meeting|demo|visit|lunch|appointment)') then
                case when is_conversation then 'meeting held' else 'meeting that fell through' end
            when regexp_matches(kind, '(call|phone)') then
                case when is_conversation then 'call answered' else 'call not answered' end
            when regexp_matches(kind, '(mail|message|chat|sms)') then
                case when is_conversation then 'mail from them' else 'mail to them' end
        end as approach
    from touches
    where department in ('activity', 'campaign')
    union all
    select party_id, cast(resolved_at as date),
        case when resolved_at <= opened_at + to_days(2) then 'ticket solved within 2 days' else 'ticket solved later' end
    from tickets
    where resolved_at >= opened_at
    union all
    select party_id, created_on, 'offer made'
    from deals
    union all
    select party_id, refunded_on, 'refund given'
    from refunds
),

days as (
    select d.party_id, d.approach, d.done_on
    from done d
    join clock c on d.done_on <= c.as_of_on
    where d.party_id is not null and d.approach is not null
    group by d.party_id, d.approach, d.done_on
)

select party_id, approach, done_on, cast(occurrence as integer) as occurrence
from (
    select *, row_number() over (partition by party_id, approach order by done_on) as occurrence
    from days
) numbered
where occurrence <= 3
