/** Is all the money and are all the goods there? */
import { html } from '/vendor/preact.js'
import { Card, Empty, Tag } from './parts.js'
import { amount, count, duration, time } from './words.js'

const HOUR_MS = 3_600_000
const SLOTS = 60

/** The hour in minutes: the worst that was found in each, or nothing where nobody looked. */
const slotsOf = (audits, now) => {
  const slots = Array.from({ length: SLOTS }, () => 'none')
  for (const { at, balanced } of audits) {
    const slot = SLOTS - 1 - Math.floor(((now - at) / HOUR_MS) * SLOTS)
    if (slot < 0 || slot >= SLOTS) continue
    const found = balanced === null ? 'unknown' : balanced ? 'good' : 'bad'
    if (slots[slot] !== 'bad' && !(slots[slot] === 'good' && found === 'unknown')) slots[slot] = found
  }
  return slots
}

const Term = ({ name, value }) => html`<span class="term"><b>${amount(value)}</b><small>${name}</small></span>`
const plus = html`<span class="sign">+</span>`

/** What was put in is what is left and what went where: the terms that are nought are left out, but for the first two. */
const Equation = ({ label, added, terms }) => {
  const shown = terms.filter(([, value], at) => at < 2 || value !== '0')
  return html`<p class="equation" aria-label=${`${label}: ${amount(added)} added is ${shown.map(([name, value]) => `${amount(value)} ${name}`).join(' and ')}`}>
    <span class="what">${label}</span><${Term} name="added" value=${added} /><span class="sign">=</span>
    ${shown.map(([name, value], at) => html`${at > 0 && plus}<${Term} name=${name} value=${value} />`)}
  </p>`
}

const Mismatches = ({ mismatches }) =>
  mismatches.length > 0 &&
  html`<ul class="list">${mismatches.slice(0, 20).map(({ what, detail, orders }) => html`<li key=${detail}><b>${what}</b> ${detail}${orders.length > 0 && ` (${orders.slice(0, 5).join(', ')})`}</li>`)}</ul>`

/** An audit is asked for every five seconds, if it is no more than a moment's work. */
const FRESH_MS = 10_000

/** What the last audit has found, in words; with its age, and not in green, if much may have happened since. */
export const Verdict = ({ state, balanced, unbalanced, unknown }) => {
  const { audit } = state.answers
  if (audit === undefined) return html`<${Tag} kind="off">not asked yet<//>`
  if (audit.status !== 200) return html`<${Tag} kind="busy">${unknown}<//>`
  const ageMs = state.at - audit.at
  const age = ageMs > FRESH_MS ? `, as of ${duration(ageMs)} ago` : ''
  if (!audit.body.balanced) return html`<${Tag} kind="bad">${unbalanced}${age}<//>`
  return html`<${Tag} kind=${age === '' ? 'good' : 'off'}>${balanced}${age}<//>`
}

export const Audit = ({ state }) => {
  const { audits, answers } = state
  const { audit } = answers
  const body = audit?.status === 200 ? audit.body : undefined
  const found = audits.filter(({ balanced }) => balanced !== null)
  const wrong = found.filter(({ balanced }) => balanced === false)
  const summary = `${count(found.length, 'audit')} in the last hour, ${wrong.length === 0 ? 'all balanced' : `${wrong.length} not balanced`}`
  return html`<${Card} name="audit" title="Is all of it there?" aside=${html`<${Verdict} state=${state} balanced="balanced" unbalanced="not balanced" unknown="cannot be known now" />`}>
    ${
      body === undefined
        ? html`<${Empty}>${audit === undefined ? 'The audit is being asked for.' : 'A service that the audit must ask is away. It is asked again and again.'}<//>`
        : html`
      <${Equation} label="Money" added=${body.credit.added} terms=${[
        ['in wallets', body.credit.wallets],
        ['paid', body.credit.paid],
        ['in flight', body.credit.in_flight],
        ['accepted', body.credit.accepted],
      ]} />
      <${Equation} label="Goods" added=${body.stock.added} terms=${[
        ['on the shelf', body.stock.shelf],
        ['sold', body.stock.sold],
        ['in flight', body.stock.in_flight],
        ['written off', body.stock.written_off],
        ['accepted', body.stock.accepted],
      ]} />
      <${Mismatches} mismatches=${body.mismatches} />`
    }
    <div class="strip" role="img" aria-label=${summary}>${slotsOf(audits, state.at).map((kind, at) => html`<i key=${at} class=${kind}></i>`)}</div>
    <p class="note">${summary}${audit ? `; the last one at ${time(audit.at)}` : ''}. Nobody asks while no console is open.</p>
  <//>`
}
