/* SPDX-License-Identifier: Apache-2.0
 *
 * Not a header of declarations: the handlers of exceptions, included by interp.c after those of
 * control. Nothing here runs while nothing is thrown. Who catches is found, and what he wants put
 * into his frame, by the functions of interp_exception.c.
 */

HANDLER(do_land)
{
    ip = run->landing.ip;
    fp = run->landing.fp;
    inst = run->landing.instance;
    RELOAD();
    DISPATCH();
}
HANDLER(THROW)
{
    acc = (uint64_t)alc_interp_throw(run, inst, ip, fp);
    if (acc != ALC_OK) {
        TAIL(stop);
    }
    TAIL(do_land);
}
HANDLER(THROW_REF)
{
    acc = (uint64_t)alc_interp_throw_ref(run, inst, ip, fp);
    if (acc != ALC_OK) {
        TAIL(stop);
    }
    TAIL(do_land);
}
/* A host function failed: acc is the status, ip a return address, fp the callee's frame. */
COLD_HANDLER(do_host_failed)
{
    acc = (uint64_t)alc_interp_throw_from_host(run, inst, ip, fp, (alc_status)acc);
    if (acc != ALC_OK) {
        TAIL(do_stop_between);
    }
    TAIL(do_land);
}
