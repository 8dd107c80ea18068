/** Which entries could not be applied, and what is done with them? */
import { html, useState } from '/vendor/preact.js'
import { Card, Confirm, Empty, Tag } from './parts.js'
import { ask } from './session.js'
import { bodyOf } from './shop-state.js'
import { short, time } from './words.js'

const PREFIXES = { order: 'orders', payment: 'payment', stock: 'stock', ids: 'ids' }

const fieldIn = ({ fields }, name) => new RegExp(`(?:^| )${name}=(\\S*)`).exec(fields.join(' '))?.[1] ?? ''

const SAYS = {
  retry:
    'The entry is judged by the dictionary of today and applied, once, however often this is asked for. If it fails again, it stays here.',
  dismiss:
    'The entry is given up for good: it is never applied. Whatever it should have done has to be made good otherwise.',
}

const requestOf = ({ service, id }, verb) => {
  const path = `/${PREFIXES[service]}/${verb}_dead_letter/${id}`
  return () => ({ method: 'POST', path, run: () => ask('POST', path) })
}

const Letter = ({ letter, onChoose, onOpen }) => {
  const logId = fieldIn(letter, 'log_id')
  return html`<li>
    <div><b>${letter.fields[0]}</b> <span class="dim">${letter.service} could not apply what ${letter.speaker} appended at ${time(letter.at)}</span></div>
    <p class="error">${letter.error}</p>
    <div class="buttons">
      <button type="button" onClick=${() => onChoose('retry')} aria-label=${`retry ${letter.service}:${letter.id}`}>retry</button>
      <button type="button" onClick=${() => onChoose('dismiss')} aria-label=${`dismiss ${letter.service}:${letter.id}`}>dismiss</button>
      ${logId !== '' && html`<button type="button" class="link" onClick=${() => onOpen(logId)}>its checkout ${short(logId)}</button>`}
    </div>
  </li>`
}

export const Letters = ({ state, onOpen, onTell }) => {
  const [chosen, setChosen] = useState(undefined)
  const all = Object.keys(PREFIXES).flatMap((service) =>
    (bodyOf(state, `letters.${service}`)?.letters ?? []).map((letter) => ({ ...letter, service })),
  )
  const waiting = all.filter(({ applied, dismissed }) => applied === null && dismissed === null)
  const done = ({ ok, sentence }) => onTell(ok ? `done: ${chosen.verb}` : sentence)
  const aside = waiting.length > 0 && html`<${Tag} kind="bad">${waiting.length}<//>`
  return html`<${Card} name="letters" title="Dead letters" aside=${aside}>
    ${
      waiting.length === 0
        ? html`<${Empty}>Every entry could be applied.<//>`
        : html`<ul class="list">${waiting.map((letter) => html`<${Letter} key=${`${letter.service}${letter.id}`} letter=${letter} onOpen=${onOpen} onChoose=${(verb) => setChosen({ letter, verb })} />`)}</ul>`
    }
    ${all.length > waiting.length && html`<p class="note">${all.length - waiting.length} were applied or dismissed before.</p>`}
    ${chosen && html`<${Confirm} title=${`${chosen.verb} ${chosen.letter.service}:${chosen.letter.id}?`} verb=${chosen.verb} request=${requestOf(chosen.letter, chosen.verb)} onDone=${done} onClose=${() => setChosen(undefined)}><p>${SAYS[chosen.verb]}</p><//>`}
  <//>`
}
