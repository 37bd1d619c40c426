import {execaSync} from 'execa'

/** Whether criu is installed, and works on this kernel. */
export const isCriuThere = !execaSync('criu', ['check'], {reject: false, timeout: 10_000}).failed
