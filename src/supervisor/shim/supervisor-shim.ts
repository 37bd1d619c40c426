/** This supervisor's shim, with each piece of news handed to whoever has asked for it. */
import type {ExitRecord} from '../../shim/client/exit-record.ts'
import type {MessageFields} from '../../shim/client/frames.ts'
import {openShim, type Shim} from '../../shim/client/shim.ts'
import {createNews, type News} from './news.ts'

export interface SupervisorShim extends Pick<Shim, 'held' | 'call' | 'leave'> {
  readonly exits: News<ExitRecord>
  readonly growths: News<MessageFields<'grew'>>
  /** Somebody is about to send something. */
  readonly wakes: News<void>
  /** The deadline has passed. */
  readonly dues: News<void>
}

/** @param onLost the shim has ended: nothing can be done any more, and its successor comes with another supervisor */
export async function openSupervisorShim(onLost: (why: Error) => void): Promise<SupervisorShim> {
  const exits = createNews<ExitRecord>()
  const growths = createNews<MessageFields<'grew'>>()
  const wakes = createNews<void>()
  const dues = createNews<void>()
  const {held, call, leave} = await openShim({
    onExit: exits.tell,
    onGrew: growths.tell,
    onWoken: () => wakes.tell(),
    onDue: () => dues.tell(),
    onLost,
  })
  return {held, call, leave, exits, growths, wakes, dues}
}
