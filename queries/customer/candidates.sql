-- Who may be meant by the words in `asked`: an id or an address first, then a whole name, then a part of one. Accents
-- may be left out. Who has neither id nor address goes by their record, as in review.csv.
with known as (
    select l.party_id, 1 as place
    from links l
    join asked a on lower(a.words) in (lower(l.account_id), lower(l.contact_id), lower(l.lead_id), lower(l.email), lower(l.record))
    union all
    select c.party_id, 1
    from contacts c
    join asked a on lower(a.words) in (lower(c.contact_id), lower(c.email))
    union all
    select p.party_id, 2
    from parties p
    join asked a on strip_accents(lower(trim(p.customer))) = strip_accents(lower(a.words))
    union all
    select p.party_id, 3
    from parties p
    join asked a on strpos(strip_accents(lower(p.customer)), strip_accents(lower(a.words))) > 0
),

leads_of as (
    select party_id, min(lead_id) as lead_id, min(email) as email, min(record) as record
    from links
    where party_id is not null
    group by party_id
),

best as (
    select party_id, min(place) as place
    from known
    where party_id is not null
    group by party_id
)

select
    p.party_id,
    p.customer,
    coalesce(p.account_id, p.contact_id, e.lead_id, e.email, e.record, '') as id,
    c.party_id is not null as is_customer
from best b
join parties p on p.party_id = b.party_id
left join leads_of e on e.party_id = b.party_id
left join customers c on c.period = 'current' and c.party_id = b.party_id
where b.place = (select min(place) from best)
order by c.party_id is null, p.customer, p.party_id
