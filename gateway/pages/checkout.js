/**
 * What became of one checkout, in all services, and what comes next?
 *
 * A lane for each service, and in it what that appended to its log, in the order in which it happened. Below, how each stands and what its log
 * parser will do, and when; and what a person may do.
 */
import { html, useEffect, useRef, useState } from '/vendor/preact.js'
import { Card, Confirm, CopyCurl, Empty, Tag } from './parts.js'
import { ask } from './session.js'
import { amount, duration, factsOf, nextOf, STATES, short, time } from './words.js'

const LANES = [
  ['order', 'orders'],
  ['payment', 'payment'],
  ['stock', 'stock'],
]
const AGAIN_MS = 1_000

const msOf = (id) => Number.parseInt(id, 10)

/** How one service sees it: what it appended, and how it stands; what it does not know, or does not answer, is none. */
const viewOf = async ([service, prefix], logId) => {
  const [log, saga] = await Promise.all([ask('GET', `/${prefix}/log/${logId}`), ask('GET', `/${prefix}/saga/${logId}`)])
  return {
    service,
    entries: log.ok ? log.body.logs.map((entry) => ({ ...entry, service })) : [],
    status: saga.ok ? saga.body : undefined,
    sentence: saga.ok ? '' : saga.status === 404 ? 'knows nothing of it' : saga.sentence,
  }
}

const read = async (logId) => {
  const views = await Promise.all(LANES.map((lane) => viewOf(lane, logId)))
  const entries = views.flatMap((view) => view.entries).toSorted((a, b) => msOf(a.id) - msOf(b.id))
  const order = entries.find(({ facts }) => facts.order !== undefined)?.facts.order ?? views[0].status?.recorded.order
  const shown = order === undefined ? undefined : await ask('GET', `/orders/${order}`)
  return { views, entries, order, shown: shown?.ok ? shown.body : undefined }
}

/** What is known of a checkout, again and again while it is not over. */
const useSaga = (logId, turn) => {
  const [saga, setSaga] = useState(undefined)
  useEffect(() => {
    let isOver = false
    let timer = 0
    const look = async () => {
      const found = await read(logId)
      if (isOver) return
      setSaga({ logId, ...found })
      const goesOn = found.views.some(({ status, sentence }) => status?.unfinished || sentence.includes('reached'))
      timer = setTimeout(look, goesOn ? AGAIN_MS : 5 * AGAIN_MS)
    }
    look()
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [logId, turn])
  return saga?.logId === logId ? saga : undefined
}

const Lanes = ({ entries }) => {
  const from = msOf(entries[0].id)
  return html`<div class="scroll" tabindex="0" role="group" aria-label="what the services appended to their logs">
    <table class="lanes">
      <thead><tr><th scope="col">after</th>${LANES.map(([service]) => html`<th scope="col" key=${service}>${service}</th>`)}</tr></thead>
      <tbody>${entries.map(
        (entry) => html`<tr key=${`${entry.service}${entry.id}`}>
          <th scope="row" class="number">${duration(msOf(entry.id) - from)}</th>
          ${LANES.map(([service]) => html`<td key=${service} data-lane=${service}>${entry.service === service && html`<div class="entry"><b>${entry.kind}</b>${factsOf(entry).map((fact) => html`<small key=${fact}>${fact}</small>`)}</div>`}</td>`)}
        </tr>`,
      )}</tbody>
    </table>
  </div>`
}

const Next = ({ views }) =>
  html`<dl class="next">${views.map(
    ({ service, status, sentence }) =>
      html`<div key=${service}><dt>${service}</dt><dd>${status ? html`<b>${status.state}</b>${status.unfinished && html` since ${time(status.since)}`}: ${nextOf(status)}` : sentence}</dd></div>`,
  )}</dl>`

const Facts = ({ order, shown }) =>
  shown &&
  html`<dl class="facts">
    <div><dt>order</dt><dd><code>${order}</code></dd></div>
    <div><dt>user</dt><dd><code>${shown.user_id}</code></dd></div>
    <div><dt>is</dt><dd>${shown.status}, ${shown.payment_status.replaceAll('-', ' ')}</dd></div>
    <div><dt>total</dt><dd>${amount(shown.total_cost)}</dd></div>
    <div><dt>paid</dt><dd>${amount(shown.paid_amount)}${shown.refunded_amount > 0 && `, ${amount(shown.refunded_amount)} of it refunded`}</dd></div>
    ${shown.invoice && html`<div><dt>invoice</dt><dd>${shown.invoice.number ?? 'draft'} (${shown.invoice.status.replaceAll('-', ' ')})</dd></div>`}
    ${shown.credit_notes.length > 0 && html`<div><dt>credit notes</dt><dd>${shown.credit_notes.join(', ')}</dd></div>`}
  </dl>`

/** What a person may do with it now. */
const verbsOf = ({ logId, views, order, shown }) => {
  const ofOrder = views[0].status
  const unfinished = views.filter(({ status, service }) => status?.unfinished && service !== 'stock')
  const isUndecided = ['started', 'submitted', 'checking-out', 'busy'].includes(ofOrder?.state ?? '')
  const isContradicted = ofOrder?.recorded.contradicted !== undefined && ofOrder.recorded.resolved === undefined
  const post = (path, body) => ({ method: 'POST', path, body, run: () => ask('POST', path, body) })
  const retryAll = async () => {
    const paths = unfinished.map(({ service }) => `/${service === 'order' ? 'orders' : service}/retry/${logId}`)
    const results = await Promise.all(paths.map((path) => ask('POST', path)))
    return results.find(({ ok }) => !ok) ?? results[0]
  }
  return [
    unfinished.length > 0 && {
      name: 'retry',
      says: `${unfinished.map(({ service }) => service).join(' and ')} does at once what the log parser would do at its next run. Nothing is done twice.`,
      request: () => ({
        ...post(`/${unfinished[0].service === 'order' ? 'orders' : 'payment'}/retry/${logId}`),
        run: retryAll,
      }),
    },
    isUndecided && {
      name: 'cancel',
      says: 'The checkout is given up, unless it is decided by then: the order is not paid, and what was held or taken for it goes back. The customer may check out again.',
      request: () => post(`/orders/cancel/${logId}`),
    },
    shown !== undefined &&
      shown.status === 'paid' &&
      !isContradicted && {
        name: 'refund',
        says: `All that is left of order ${order} goes back: ${amount(shown.paid_amount - shown.refunded_amount)} to the wallet of the customer, with a credit note, and the goods onto the shelf. This cannot be undone.`,
        asks: 'why it is refunded',
        request: (why) => post(`/orders/${order}/refunds`, { reason: why }),
      },
    isContradicted && {
      name: 'resolve by refund',
      says: 'What is left of the checkout is undone: money and goods go back, and the order is not paid. This cannot be undone.',
      asks: 'why',
      request: (why) => post(`/orders/resolve/${logId}/refund?why=${encodeURIComponent(why)}`),
    },
    isContradicted && {
      name: 'accept as it is',
      says: 'Everything stays as it is, and the audit counts it as accepted. This cannot be undone.',
      asks: 'why',
      request: (why) => post(`/orders/resolve/${logId}/accept?why=${encodeURIComponent(why)}`),
    },
  ].filter(Boolean)
}

export const OneCheckout = ({ logId, known, onClose, onTell }) => {
  const [turn, setTurn] = useState(0)
  const [verb, setVerb] = useState(undefined)
  const saga = useSaga(logId, turn)
  const at = useRef(null)
  useEffect(() => at.current.focus(), [logId])
  const [word, kind] = STATES[known?.state] ?? []
  const done = (answer) => {
    onTell(answer.ok ? `done: ${verb.name}` : answer.sentence)
    setTurn((n) => n + 1)
  }
  const aside = html`${word && html`<${Tag} kind=${kind}>${word}<//>`}<button type="button" class="quiet" onClick=${onClose} aria-label="close this checkout">close</button>`
  return html`<div ref=${at} tabindex="-1" class="wide focusable"><${Card} name="checkout" title=${`${known?.what ?? 'checkout'} ${short(logId)}`} wide aside=${aside}>
    ${
      saga === undefined
        ? html`<${Empty}>The services are being asked.<//>`
        : html`
      <${Facts} order=${saga.order} shown=${saga.shown} />
      ${saga.entries.length === 0 ? html`<${Empty}>No log has an entry of it.<//>` : html`<${Lanes} entries=${saga.entries} />`}
      <h3>What comes next</h3>
      <${Next} views=${saga.views} />
      <div class="buttons">
        ${verbsOf({ ...saga, logId }).map((one) => html`<button type="button" key=${one.name} onClick=${() => setVerb(one)}>${one.name}…</button>`)}
        <${CopyCurl} method="GET" path=${`/orders/saga/${logId}`} what="how it stands in order" />
      </div>
      <p class="note">log id <code>${logId}</code></p>`
    }
    ${verb && html`<${Confirm} title=${`${verb.name}?`} verb=${verb.name} asks=${verb.asks} request=${verb.request} onDone=${done} onClose=${() => setVerb(undefined)}><p>${verb.says}</p><//>`}
  <//></div>`
}
