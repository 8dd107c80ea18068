/** Which checkouts are there, and which of them hang? */
import { html, useState } from '/vendor/preact.js'
import { Card, Empty, Table, Tag } from './parts.js'
import { ask } from './session.js'
import { checkoutsOf } from './shop-state.js'
import { amount, duration, nextOf, reasonOf, STATES, time } from './words.js'

const SHOWN = 25

const FILTERS = {
  all: () => true,
  'under way': ({ isOpen, status }) => isOpen || status !== undefined,
  overdue: ({ isOverdue }) => isOverdue,
  paid: ({ state }) => state === 'paid',
  refused: ({ state }) => state === 'refused',
  cancelled: ({ state }) => state === 'cancelled',
  contradicted: ({ state }) => state === 'contradicted',
  refunds: ({ what }) => what === 'refund',
  amendments: ({ what }) => what === 'amendment',
}

const fits = (text) => {
  const wanted = text.trim().toLowerCase()
  return ({ order, user, log_id, reason }) =>
    wanted === '' || [order, user, log_id, reason].some((one) => one.toLowerCase().includes(wanted))
}

const tookOf = ({ begun, decided, isOpen }, now) =>
  decided === null ? (isOpen ? `${duration(Math.max(0, now - begun))} so far` : '–') : duration(decided - begun)

const outcomeOf = (one) => {
  if (one.status !== undefined && one.waits) return nextOf(one.status)
  return reasonOf(one) || (one.isOpen ? `after ${one.last}` : '')
}

const Row = ({ one, now, isChosen, onOpen }) => {
  const [word, kind] = STATES[one.state] ?? [one.state, 'off']
  return html`<tr class=${isChosen ? 'chosen' : ''}>
    <td><button type="button" class="link id" onClick=${() => onOpen(one.log_id)} aria-expanded=${isChosen}>${one.order || one.log_id}</button>${one.what !== 'checkout' && html` <small>${one.what}</small>`}</td>
    <td><${Tag} kind=${one.isOverdue ? 'bad' : kind}>${one.isOverdue ? 'overdue' : word}<//></td>
    <td class="number">${amount(one.total)}</td>
    <td class="number">${time(one.begun)}</td>
    <td class="number">${tookOf(one, now)}</td>
    <td class="why">${outcomeOf(one)}</td>
  </tr>`
}

/** Asks the shop for an order, a user or a log id that the page does not know. @returns the log ids, or a sentence */
const lookFor = async (text) => {
  const id = encodeURIComponent(text.trim())
  const ofOrder = await ask('GET', `/orders/checkouts/${id}`)
  if (ofOrder.ok && ofOrder.body.log_ids.length > 0) return { logIds: ofOrder.body.log_ids }
  const saga = await ask('GET', `/orders/saga/${id}`)
  if (saga.ok) return { logIds: [saga.body.log_id] }
  const ofUser = await ask('GET', `/orders?user=${id}&limit=20`)
  const logIds = ofUser.ok ? ofUser.body.orders.flatMap(({ checkout }) => checkout?.log_id ?? []) : []
  if (logIds.length > 0) return { logIds }
  if (ofOrder.ok) return { sentence: 'this order was not checked out, or so long ago that it is forgotten' }
  return {
    sentence:
      ofOrder.status >= 500 || ofOrder.status === 0
        ? ofOrder.sentence
        : 'the shop knows no order, user or log id of that name',
  }
}

export const Checkouts = ({ state, chosen, onOpen, onTell }) => {
  const [filter, setFilter] = useState('all')
  const [text, setText] = useState('')
  const [found, setFound] = useState([])
  const all = checkoutsOf(state)
  const shown = all.filter(FILTERS[filter]).filter(fits(text))
  const overdue = all.filter(({ isOverdue }) => isOverdue).length

  const look = async (event) => {
    event.preventDefault()
    if (text.trim() === '') return
    const result = await lookFor(text)
    setFound(result.logIds ?? [])
    if (result.logIds?.length === 1) onOpen(result.logIds[0])
    else onTell(result.sentence ?? `${result.logIds.length} were found`)
  }

  return html`<${Card} name="checkouts" title="Checkouts" wide aside=${overdue > 0 && html`<${Tag} kind="bad">${overdue} overdue<//>`}>
    <form class="filters" role="search" onSubmit=${look}>
      <label class="field">show<select value=${filter} onChange=${(event) => setFilter(event.target.value)}>
        ${Object.keys(FILTERS).map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
      </select></label>
      <label class="field grow">order, user, log id or reason<input type="search" value=${text} onInput=${(event) => setText(event.target.value)} /></label>
      <button type="submit">ask the shop</button>
    </form>
    ${found.length > 1 && html`<p class="found">found: ${found.map((logId) => html`<button type="button" class="link" key=${logId} onClick=${() => onOpen(logId)}>${logId}</button> `)}</p>`}
    ${
      shown.length === 0
        ? html`<${Empty}>${all.length === 0 ? 'Nobody has checked out since this console was opened.' : 'None of those that were seen is like that.'}<//>`
        : html`<${Table} label="checkouts" heads=${['order', 'state', 'total', 'begun', 'took', 'why, or what comes next']}>
        ${shown.slice(0, SHOWN).map((one) => html`<${Row} key=${one.log_id} one=${one} now=${state.at} isChosen=${one.log_id === chosen} onOpen=${onOpen} />`)}
      <//>`
    }
    ${shown.length > SHOWN && html`<p class="note">${shown.length - SHOWN} more; a filter shows others.</p>`}
  <//>`
}
