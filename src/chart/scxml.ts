/**
 * Writes a chart as SCXML (https://www.w3.org/TR/scxml/). Guards are functions that the host provides, effects are sent to the host. An
 * event that an enclosing state accepts and a state does not is written as a transition without target and effects.
 */
import type {Guard} from './guard.ts'
import {type ChartMarks, noMarks} from './marks.ts'
import type {ChartModel, ChartState, ChartTransition} from './model.ts'
import {toAttributes, toComment} from './xml.ts'

export const scxmlNamespace = 'http://www.w3.org/2005/07/scxml'
/** The namespace of tags and highlights, which SCXML lacks. */
export const ownNamespace = 'urn:tallyman:chart'

export function renderScxml(model: ChartModel, marks: ChartMarks = noMarks): string {
  const {root, id} = model
  const end = `${id}.end`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<scxml${toAttributes({xmlns: scxmlNamespace, 'xmlns:tally': ownNamespace, version: '1.0', datamodel: 'ecmascript', name: id, initial: id})}>`,
    ...indent([
      toComment(root.description ?? id),
      // The root element cannot have transitions, so the machine is a state inside it.
      ...toState(root, [`<transition event="done.state.${id}" target="${end}"/>`]),
      `<final id="${end}"/>`,
    ]),
    '</scxml>',
    '',
  ].join('\n')

  function toState(state: ChartState, more: readonly string[] = []): readonly string[] {
    const name = toName(state.id)
    const tag = state.type === 'parallel' ? 'parallel' : state.type === 'final' ? 'final' : 'state'
    const attributes = toAttributes({
      id: name,
      initial: state.initial === undefined ? undefined : toName(state.initial),
      'tally:tags': state.tags.length > 0 ? state.tags.join(' ') : undefined,
      'tally:active': marks.active.has(state.id) ? 'true' : undefined,
    })
    // SCXML allows no transitions in a final state.
    const transitions = tag === 'final' ? [] : model.transitions.filter(({source}) => source === state.id).flatMap(toTransition)
    return [
      `<${tag}${attributes}>`,
      ...indent([
        ...(state.description === undefined || state === root ? [] : [toComment(state.description)]),
        ...toExecutable('onentry', state.entry),
        ...toExecutable('onexit', state.exit),
        ...(tag === 'final' ? [] : state.refuses.map((event) => `<transition${toAttributes({event})}/>`)),
        ...transitions,
        ...more,
        ...state.states.flatMap((child) => toState(child)),
      ]),
      `</${tag}>`,
    ]
  }

  function toTransition({id: transition, event, condition, targets, description, effects}: ChartTransition): readonly string[] {
    const attributes = toAttributes({
      event,
      cond: condition && toExpression(condition),
      target: targets.length > 0 ? targets.map(toName).join(' ') : undefined,
      type: targets.length > 0 ? 'internal' : undefined,
      'tally:last': marks.last.has(transition) ? 'true' : undefined,
      'tally:possible': marks.possible.has(transition) ? 'true' : undefined,
    })
    const content = [...(description === undefined ? [] : [toComment(description)]), ...effects.map(toSend)]
    return content.length === 0 ? [`<transition${attributes}/>`] : [`<transition${attributes}>`, ...indent(content), '</transition>']
  }

  /** In SCXML the machine is a state: its id is a prefix of all paths. */
  function toName(state: string): string {
    return state === '' ? id : `${id}.${state}`
  }

  function toExpression(guard: Guard): string {
    switch (guard.type) {
      case 'named':
        return `${guard.name}(_event)`
      case 'in':
        return `In('${toName(guard.state)}')`
      case 'not':
        return `!(${toExpression(guard.of)})`
      case 'and':
        return guard.of.map((part) => `(${toExpression(part)})`).join(' && ')
      case 'or':
        return guard.of.map((part) => `(${toExpression(part)})`).join(' || ')
    }
  }
}

function toExecutable(tag: 'onentry' | 'onexit', effects: readonly string[]): readonly string[] {
  return effects.length === 0 ? [] : [`<${tag}>`, ...indent(effects.map(toSend)), `</${tag}>`]
}

function toSend(effect: string): string {
  return `<send${toAttributes({event: effect, type: 'urn:tallyman:effect'})}/>`
}

function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`)
}
