/** The chart of a container in the terminal, drawn again after every event. */
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {toChartModel} from '../chart/model.ts'
import {foldMachine, toMarks} from '../chart/moment.ts'
import {renderText} from '../chart/text.ts'
import type {TallyClient} from '../client/client.ts'
import {TallyError} from '../kernel/errors.ts'
import {type Charted, toCaption, toOwnEvents} from './chart-moment.ts'
import {type ScreenSize, withLiveScreen} from './live-screen.ts'
import {withReconnect} from './reconnect.ts'

export interface FollowedChart {
  readonly client: TallyClient
  readonly name: {readonly namespace: string; readonly id: string}
  readonly charted: Charted
  /** Those of the container so far. */
  readonly events: readonly LedgerEvent[]
  /** The stream sequence of the next event. */
  readonly next: number
}

const defaultColumns = 100

/** Ends when the container is deleted, or when the user quits. */
export async function followChart({client, name, charted, events: known, next: first}: FollowedChart): Promise<void> {
  const model = toChartModel(charted.machine)
  let events = known
  let next = first
  await withLiveScreen(render, async (draw) => {
    draw()
    await withReconnect(client, async () => {
      if (isOver()) return
      const filter = {node: client.node, ...name}
      for await (const {event, streamSequence} of client.events({filter, follow: true, from: {streamSequence: next}})) {
        next = streamSequence + 1
        // Another uid is another container under the same id.
        events = event.uid === events.at(-1)?.uid ? [...events, event] : [event]
        draw()
        if (isOver()) return
      }
      throw new TallyError('NATS_UNREACHABLE', 'the connection to NATS was lost')
    })
  })

  function isOver(): boolean {
    return events.at(-1)?.type === 'container.deleted'
  }

  /** Draws boxes, or one line per state when the boxes are higher than the window. */
  function render(size: ScreenSize | undefined): string {
    const moment = foldMachine(charted.machine, toOwnEvents(events, charted))
    const options = {marks: toMarks(charted.machine, moment), width: size?.columns ?? defaultColumns, colour: size !== undefined}
    const boxes = renderText(model, options)
    const isTooHigh = size !== undefined && boxes.split('\n').length >= size.rows
    return `${toCaption(`${name.namespace}/${name.id}`, events)}\n${isTooHigh ? renderText(model, {...options, tree: true}) : boxes}`
  }
}
