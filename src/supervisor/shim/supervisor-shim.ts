/** This supervisor's shim, with each piece of news handed to whoever has asked for it. */
import type {ExitRecord} from '../../shim/client/exit-record.ts'
import type {MessageFields} from '../../shim/client/frames.ts'
import {openShim, type Shim} from '../../shim/client/shim.ts'
import {createNews, type News} from './news.ts'

export interface SupervisorShim extends Pick<Shim, 'held' | 'call' | 'leave'> {
  readonly exits: News<ExitRecord>
  readonly growths: News<MessageFields<'grew'>>
}

/** @param onLost the shim has ended: nothing can be done any more, and its successor comes with another supervisor */
export async function openSupervisorShim(onLost: (why: Error) => void): Promise<SupervisorShim> {
  const exits = createNews<ExitRecord>()
  const growths = createNews<MessageFields<'grew'>>()
  const {held, call, leave} = await openShim({
    onExit: exits.tell,
    onGrew: growths.tell,
    // The client counts them: then the shim refuses to let this supervisor go.
    onWoken: () => {},
    // What is due has a timer of its own here.
    onDue: () => {},
    onLost,
  })
  return {held, call, leave, exits, growths}
}
