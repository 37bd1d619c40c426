/** What the container has to do with the processes that are added to it, and with the input and the terminal of its init. */
import type {LedgerEvent} from '../../ledger/events.ts'
import {chart} from '../container-setup.ts'
import type {EffectParams} from '../effects.ts'

/** Holds the end of init back until that of this process is journaled. */
const recordExec = chart.assign(({context, event}) =>
  event.type === 'exec.start-requested' ? {liveExecs: [...context.liveExecs, event.data.exec]} : {},
)
export const forgetExec = chart.assign(({context, event}) => {
  const gone = 'exec' in event.data ? event.data.exec : undefined
  return {liveExecs: context.liveExecs.filter((exec) => exec !== gone)}
})

/** What an added process needs: a container whose processes can run. */
export const onExec = {
  'exec.added': {description: 'A process is added.', actions: chart.assign({})},
  'exec.start-requested': {description: 'An added process is started.', actions: recordExec},
} as const

const recordStdinClosed = chart.assign({stdinClosed: true})
const recordSize = chart.assign(({event}) =>
  event.type === 'container.resized' ? {consoleSize: {columns: event.data.columns, rows: event.data.rows}} : {},
)

/** What is possible as long as there is an init that reads. */
export const onInput = {
  'container.stdin-closed': {guard: 'hasOpenStdin', actions: [recordStdinClosed, {type: 'stdin.close', params: {}}]},
  'container.resized': {
    guard: 'hasTerminal',
    actions: [
      recordSize,
      {
        type: 'terminal.resize',
        params: ({event: {data}}: {event: LedgerEvent<'container.resized'>}): EffectParams['terminal.resize'] => ({
          columns: data.columns,
          rows: data.rows,
        }),
      },
    ],
  },
} as const
