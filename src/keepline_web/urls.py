"""Every address of the workbench, in one place: the matrix of who may go where is made from it."""

from __future__ import annotations

from django.urls import path

from keepline_web.api import entering, guide
from keepline_web.customers import around, arranging
from keepline_web.customers import views as customers
from keepline_web.exchange import data
from keepline_web.exchange import views as exchange
from keepline_web.exports import views as exports
from keepline_web.frame import health, refusals
from keepline_web.jobs import views as jobs
from keepline_web.people import auditing, configuring, seeking, showing, token_pages
from keepline_web.people import views as people
from keepline_web.work import leading, owed, several
from keepline_web.work import views as work
from keepline_web.work.customer import account

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("sign-in", people.sign_in, name="sign_in"),
    path("sign-out", people.sign_out, name="sign_out"),
    path("second-factor", people.second_factor, name="second_factor"),
    path("demo-enter", people.demo_enter, name="demo_enter"),
    path("preferences", people.preferences, name="preferences"),
    path("components", showing.components, name="components"),
    path("seek", seeking.seek, name="seek"),
    path("me", people.me, name="me"),
    path("me/sessions/<slug:key_end>", people.end_session, name="end_session"),
    path("me/tokens", token_pages.my_tokens, name="my_tokens"),
    path("me/tokens/<int:token_id>/end", token_pages.end_token, name="end_token"),
    path("people", configuring.people, name="people"),
    path("people/end-sessions", configuring.end_all_sessions, name="end_all_sessions"),
    path("people/<int:pk>", configuring.person, name="person"),
    path("people/<int:pk>/tokens/<int:token_id>/end", token_pages.end_token_of, name="end_token_of"),
    path("units", configuring.make_unit, name="make_unit"),
    path("audit", auditing.audit, name="audit"),
    path("", work.home, name="home"),
    path("today", work.today, name="today"),
    path("log", work.log, name="log"),
    path("log/<int:contact_id>/withdraw", work.withdraw_contact, name="withdraw_contact"),
    path("promises", work.promises, name="promises"),
    path("promises/<int:promise_id>/end", work.end_promise, name="end_promise"),
    path("proposals", work.proposals_page, name="proposals"),
    path("proposals/<int:proposal_id>/withdraw", work.withdraw_proposal, name="withdraw_proposal"),
    path("proposals/<int:proposal_id>/use", work.use_proposal, name="use_proposal"),
    path("inbox", work.inbox, name="inbox"),
    path("inbox/<int:proposal_id>", work.decide, name="decide"),
    path("month", exchange.month, name="month"),
    path("data", data.data, name="data"),
    path("data/bring-in", data.bring_in, name="bring_in"),
    path("data/hand-back", data.hand_back, name="hand_back"),
    path("data/hand-back-again", exchange.hand_back_again, name="hand_back_again"),
    path("data/receive", data.receive, name="receive"),
    path("data/loads", data.loads, name="loads"),
    path("data/loads/<int:number>", data.load, name="load"),
    path("data/loads/<int:number>/undo", data.undo, name="undo"),
    path("data/uploads/<int:upload_id>", data.upload, name="upload"),
    path("data/uploads/<int:upload_id>/set-aside/<int:number>", data.set_aside, name="set_aside"),
    path("data/uploads/<int:upload_id>/<slug:verb>", data.try_or_load, name="try_or_load"),
    path("team", work.team, name="team"),
    path("arrears", owed.arrears, name="arrears"),
    path("meeting", leading.meeting_page, name="meeting"),
    path("bulletin", leading.bulletin_page, name="bulletin"),
    path("targets", leading.targets_page, name="targets"),
    path("fairness", owed.fairness, name="fairness"),
    path("handover", arranging.handover, name="handover"),
    path("handover/<int:person_id>", arranging.hand_over, name="hand_over"),
    path("unowned", arranging.give_out, name="unowned"),
    path("cover", arranging.cover, name="cover"),
    path("cover/<int:cover_id>/end", arranging.end_cover, name="end_cover"),
    path("accounts", customers.accounts, name="accounts"),
    path("accounts/claimable", customers.claimable, name="claimable"),
    path("accounts/look", customers.look, name="look"),
    path("accounts/views", customers.save_view, name="save_view"),
    path("accounts/views/<int:view_id>/remove", customers.remove_view, name="remove_view"),
    path("accounts/assign", arranging.reassign, name="reassign"),
    path("accounts/plan", several.plan_several, name="plan_several"),
    path("find", customers.find, name="find"),
    path("accounts/<int:customer_id>", account, name="account"),
    path("accounts/<int:customer_id>/unmask", customers.unmask, name="unmask"),
    path("accounts/<int:customer_id>/claim", customers.claim, name="claim"),
    path("accounts/<int:customer_id>/contact-persons", around.add_contact_person, name="add_contact_person"),
    path("accounts/<int:customer_id>/head", around.attach_head, name="attach_head"),
    path("contact-persons/<int:contact_id>", around.contact_person, name="contact_person"),
    path("contact-persons/<int:contact_id>/end", around.end_contact_person, name="end_contact_person"),
    path("contact-persons/<int:contact_id>/unmask", around.unmask_contact_person, name="unmask_contact_person"),
    path("accounts/<int:customer_id>/log", work.log_contact, name="log_contact"),
    path("accounts/<int:customer_id>/step", work.plan_step, name="plan_step"),
    path("accounts/<int:customer_id>/promise", work.promise, name="promise"),
    path("accounts/<int:customer_id>/give", work.give, name="give"),
    path("accounts/<int:customer_id>/propose", work.propose, name="propose"),
    path("tasks", jobs.tasks, name="tasks"),
    path("tasks/<int:task_id>", jobs.task, name="task"),
    path("tasks/<int:task_id>/cancel", jobs.cancel_task, name="cancel_task"),
    path("exports", exports.exports, name="exports"),
    path("exports/<int:export_id>", exports.export, name="export"),
    path("exports/<int:export_id>/decide", exports.decide_export, name="decide_export"),
    path("exports/<int:export_id>/withdraw", exports.withdraw_export, name="withdraw_export"),
    path("exports/<int:export_id>/file", exports.export_file, name="export_file"),
    path("developers", guide.guide, name="api_guide"),
    path("api/v1/openapi.json", guide.openapi, name="openapi"),
    path("api/v1/<path:rest>", entering.answer, name="api"),
]
handler400 = refusals.bad_request
handler403 = refusals.forbidden
handler404 = refusals.not_found
handler500 = refusals.broken
