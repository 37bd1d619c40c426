/** The output of a process in the foreground: written to our own as it comes, and continued over another connection where it was. */
import type {StreamName} from '../../machines/schemas/streams.ts'
import type {ProcessClient, TallyClient} from '../client/client.ts'
import {followOutput, type OutputFollower} from '../client/follow-output.ts'
import type {Got, OutputHold} from '../client/hold-output.ts'
import type {NamedReader} from '../client/watched.ts'
import {writeToFd} from './fd-writer.ts'
import {printNote} from './print.ts'

export interface SessionOutputOptions {
  /** Its output from the first byte, or only what comes from now on. */
  readonly from: 'beginning' | 'now'
  /** Who reads, where no lease is taken. */
  readonly reader: NamedReader | undefined
  /** Nobody reads our output any more; without it we end, and the process does not. */
  readonly onReaderGone: (() => Promise<void>) | undefined
}

export interface SessionOutput {
  /** How many bytes of each stream are done with. */
  got(): Got
  /** Resolves when nobody reads our output any more. */
  readonly readerGone: Promise<void>
  follow(client: TallyClient, process: ProcessClient, stream: StreamName, hold: OutputHold | undefined): Promise<OutputFollower>
}

/** How far one stream has been written. */
type Place = {readonly type: 'the end, when it is first followed'} | {readonly type: 'at'; readonly offset: number}

export function createSessionOutput({from, reader, onReaderGone}: SessionOutputOptions): SessionOutput {
  const first: Place = from === 'beginning' ? {type: 'at', offset: 0} : {type: 'the end, when it is first followed'}
  const places: Record<StreamName, Place> = {stdout: first, stderr: first}
  const readerGone = Promise.withResolvers<void>()

  return {
    got: () => ({stdout: toOffset('stdout'), stderr: toOffset('stderr')}),
    readerGone: readerGone.promise,
    follow: async (client, process, stream, hold) => {
      if (places[stream].type !== 'at') moveTo(stream, (await process.output(stream, 0, {limitBytes: 1})).total)
      return followOutput(client, process, {
        stream,
        offset: toOffset(stream),
        ...(reader && {reader}),
        onDropped: (count) => {
          printNote(`${count} bytes of ${stream} had been dropped from the log before they could be read`)
          moveTo(stream, toOffset(stream) + count)
        },
        onBytes: async (bytes) => {
          await write(stream, bytes)
          moveTo(stream, toOffset(stream) + bytes.length)
          hold?.tell()
        },
      })
    },
  }

  async function write(stream: StreamName, bytes: Uint8Array): Promise<void> {
    try {
      await writeToFd(stream === 'stdout' ? 1 : 2, bytes, onReaderGone && readerGone.resolve)
    } catch (error) {
      await onReaderGone?.()
      throw error
    }
  }

  function toOffset(stream: StreamName): number {
    const place = places[stream]
    return place.type === 'at' ? place.offset : 0
  }

  function moveTo(stream: StreamName, offset: number): void {
    places[stream] = {type: 'at', offset}
  }
}
