/**
 * The newest events of one stream, as they are sent to listeners. MUST hold: what is kept has a limit, and every event after the floor, up
 * to the newest, is kept; achieved by raising the floor with what is dropped.
 */
import type {StreamedEvent, StreamState} from '../../messaging/stream.ts'

export interface RecentEventsLimits {
  readonly mostEvents: number
  readonly mostCharacters: number
}

export interface RecentEvents {
  /** When the stream was made, which tells it from another of the same name. */
  readonly created: string
  /** Place of the last event that the stream had, or has. */
  readonly newest: number
  /** The event in that place; undefined when there is none. */
  readonly latest: StreamedEvent | undefined
  /** Events after this place are kept. */
  readonly floor: number
  add(event: StreamedEvent): void
  after(place: number): Following
}

/** What a listener gets that has had the events up to a place. */
export type Following =
  /** What it needs is kept no more: it has to be read from the stream, up to the floor. */
  {readonly type: 'behind'} | {readonly type: 'live'} | {readonly type: 'events'; readonly text: string; readonly place: number}

interface Kept {
  readonly place: number
  readonly text: string
}

/** Several events are sent at once; the buffer of a socket is about as large. */
const pieceCharacters = 64 * 1024

export function createRecentEvents(
  {created, lastSequence}: Pick<StreamState, 'created' | 'lastSequence'>,
  last: StreamedEvent | undefined,
  {mostEvents, mostCharacters, format}: RecentEventsLimits & {readonly format: (event: StreamedEvent) => string},
): RecentEvents {
  const kept: Kept[] = []
  let characters = 0
  let [floor, newest] = [lastSequence, lastSequence]
  let latest = last

  return {
    created,
    get newest() {
      return newest
    },
    get latest() {
      return latest
    },
    get floor() {
      return floor
    },
    add: (event) => {
      if (event.streamSequence <= newest) return
      const text = format(event)
      kept.push({place: event.streamSequence, text})
      characters += text.length
      newest = event.streamSequence
      latest = event
      if (kept.length > mostEvents || characters > mostCharacters) dropHalf()
    },
    after: (place) => (place < floor ? {type: 'behind'} : readPiece(place)),
  }

  /** Half at once, so that the cost of an event does not depend on how many are kept. */
  function dropHalf(): void {
    const dropped = kept.splice(0, Math.ceil(kept.length / 2))
    floor = dropped.at(-1)?.place ?? floor
    characters = kept.reduce((sum, {text}) => sum + text.length, 0)
  }

  function readPiece(place: number): Following {
    const texts: string[] = []
    let last = place
    let length = 0
    for (let index = findFirst(place); length < pieceCharacters; index += 1) {
      const next = kept[index]
      if (!next) break
      texts.push(next.text)
      length += next.text.length
      last = next.place
    }
    return texts.length === 0 ? {type: 'live'} : {type: 'events', text: texts.join(''), place: last}
  }

  /** The index of the first kept event after a place; most listeners are near the end. */
  function findFirst(place: number): number {
    return kept.findLastIndex((one) => one.place <= place) + 1
  }
}
