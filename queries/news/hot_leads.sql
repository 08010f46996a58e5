-- /// news
-- place    = 7
-- title    = "Hot leads"
-- subject  = "hot lead|hot leads"
-- text     = "{person} clicked in mails on {click_days} different days, last on {last_on}."
-- entities = [["campaign_touches"]]
-- reads    = ["email_engagement.hot_and_warm"]
-- ///
-- /// table news
select
    h.person as record,
    h.party_id,
    h.click_days >= 2 as is_entered,
    'good' as level,
    cast(null as decimal(18, 2)) as amount,
    h.person,
    cast(h.click_days as varchar) as click_days,
    h.last_on
from (
    select w.*, e.party_id
    from email_engagement.hot_and_warm w
    left join (select person, max(party_id) as party_id from email_engagement.mail_events group by person) e on e.person = w.person
) h
where h.click_days >= 1
order by h.click_days desc, h.last_on desc, h.person
