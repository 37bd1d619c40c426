import {execaSync} from 'execa'

/** criu is not to be had everywhere, and does not work on every kernel. */
export const isCriuThere = !execaSync('criu', ['check'], {reject: false, timeout: 10_000}).failed
