/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds out what this machine lacks for hardware enclaves. Only looks: CPUID, device nodes, the
 * vDSO and uname. A hypervisor can hide SGX, so the remedies name it.
 */
#include "sgx/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "sgx/cpu.h"
#include "sgx/vdso.h"

enum {
    KERNEL_MAJOR_MIN = 5, /* 5.11: the driver */
    KERNEL_MINOR_MIN = 11,
    KERNEL_MAJOR_DYNAMIC = 6, /* 6.0: pages added and changed while an enclave runs */
    ELRANGE_BITS_NEEDED = 34,
};

static void add(struct alc_doctor_report *report, const char *subject, enum alc_doctor_state state,
                const char *value, const char *remedy)
{
    ALC_ASSERT(report->findings_count < ALC_DOCTOR_FINDINGS_MAX);
    struct alc_doctor_finding *finding = &report->findings[report->findings_count++];
    finding->subject = subject;
    finding->state = state;
    finding->remedy = state == ALC_DOCTOR_OK ? NULL : remedy;
    snprintf(finding->value, sizeof finding->value, "%s", value);
    if (state == ALC_DOCTOR_MISSING) {
        report->hardware_usable = false;
    }
}

static void add_feature(struct alc_doctor_report *report, const char *subject, bool is_there,
                        enum alc_doctor_state otherwise, const char *remedy)
{
    add(report, subject, is_there ? ALC_DOCTOR_OK : otherwise, is_there ? "yes" : "no", remedy);
}

static void look_at_cpu(struct alc_doctor_report *report, const struct alc_cpu_sgx *cpu)
{
    char text[ALC_DOCTOR_VALUE_SIZE];
    add_feature(report, "processor: SGX", cpu->has_sgx && cpu->has_sgx1, ALC_DOCTOR_MISSING,
                "use an Intel server with SGX and switch it on in the firmware; in a virtual "
                "machine the hypervisor must pass it on (QEMU: -cpu host,+sgx with a memory "
                "section of sgx-epc)");
    add_feature(report, "processor: flexible launch control", cpu->has_flexible_launch,
                ALC_DOCTOR_MISSING,
                "set launch control to unlocked in the firmware; the Linux driver needs it");
    add_feature(report, "processor: SGX2 (dynamic pages)", cpu->has_sgx2, ALC_DOCTOR_MISSING,
                "the enclave's heap grows by EAUG; use a processor with SGX2 (third generation "
                "Xeon Scalable or later)");
    add_feature(report, "processor: exception information", cpu->has_exinfo, ALC_DOCTOR_MISSING,
                "alcove's signature asks for MISCSELECT.EXINFO, which every SGX2 processor has");
    add_feature(report, "processor: KSS (CONFIGID)", cpu->has_kss, ALC_DOCTOR_OPTIONAL,
                "the workload id is in the report data of evidence alone, not also in CONFIGID; "
                "use a third generation Xeon Scalable or later");
    if (cpu->elrange_bits_max == 0) {
        snprintf(text, sizeof text, "none");
    } else {
        snprintf(text, sizeof text, "2^%u bytes", cpu->elrange_bits_max);
    }
    add(report, "processor: enclave address range",
        cpu->elrange_bits_max >= ELRANGE_BITS_NEEDED ? ALC_DOCTOR_OK : ALC_DOCTOR_MISSING, text,
        "alcove reserves 2^34 bytes of addresses; use a server processor");
    snprintf(text, sizeof text, "%llu MiB in %u section(s)",
             (unsigned long long)(cpu->epc_size >> 20), cpu->epc_sections);
    add(report, "enclave memory (EPC)", cpu->epc_size != 0 ? ALC_DOCTOR_OK : ALC_DOCTOR_MISSING,
        text, "give SGX some reserved memory in the firmware (PRMRR size)");
}

static void look_at_kernel(struct alc_doctor_report *report)
{
    struct utsname name;
    unsigned major = 0;
    unsigned minor = 0;
    if (uname(&name) != 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2) {
        add(report, "kernel", ALC_DOCTOR_MISSING, "unknown version", "use Linux 6.0 or later");
        return;
    }
    bool has_driver =
        major > KERNEL_MAJOR_MIN || (major == KERNEL_MAJOR_MIN && minor >= KERNEL_MINOR_MIN);
    bool has_dynamic = major >= KERNEL_MAJOR_DYNAMIC;
    char text[ALC_DOCTOR_VALUE_SIZE];
    snprintf(text, sizeof text, "Linux %.60s", name.release);
    add(report, "kernel", has_driver && has_dynamic ? ALC_DOCTOR_OK : ALC_DOCTOR_MISSING, text,
        "use Linux 6.0 or later, built with CONFIG_X86_SGX=y");
    add_feature(report, "kernel: SGX entry in the vDSO",
                alc_vdso_find("__vdso_sgx_enter_enclave") != 0, ALC_DOCTOR_MISSING,
                "the kernel must be built with CONFIG_X86_SGX=y");
    add_feature(report, "kernel: FSGSBASE", alc_cpu_may_set_gs(), ALC_DOCTOR_OPTIONAL,
                "Linux 5.9 or later without nofsgsbase; needed by the emulator's fast path and "
                "by native guest code");
}

static void look_at_device(struct alc_doctor_report *report, const char *subject, const char *path,
                           int wanted, enum alc_doctor_state otherwise, const char *remedy)
{
    struct stat info;
    char text[ALC_DOCTOR_VALUE_SIZE];
    enum alc_doctor_state state = ALC_DOCTOR_OK;
    if (stat(path, &info) != 0) {
        snprintf(text, sizeof text, "%s: %s", path, strerror(errno));
        state = otherwise;
    } else if (!S_ISCHR(info.st_mode)) {
        snprintf(text, sizeof text, "%s is not a device", path);
        state = otherwise;
    } else if (access(path, wanted) != 0) {
        snprintf(text, sizeof text, "%s: %s", path, strerror(errno));
        state = otherwise;
    } else {
        snprintf(text, sizeof text, "%s", path);
    }
    add(report, subject, state, text, remedy);
}

void alc_sgx_doctor(struct alc_doctor_report *report)
{
    struct alc_cpu_sgx cpu;
    *report = (struct alc_doctor_report){.hardware_usable = true};
    alc_cpu_read_sgx(&cpu);
    look_at_cpu(report, &cpu);
    look_at_kernel(report);
    look_at_device(report, "device: enclaves", ALC_SGX_ENCLAVE_DEVICE, R_OK | W_OK,
                   ALC_DOCTOR_MISSING,
                   "once processor and kernel offer SGX, become a member of the group sgx; a "
                   "container needs --device /dev/sgx_enclave");
    look_at_device(report, "device: provisioning", ALC_SGX_PROVISION_DEVICE, R_OK,
                   ALC_DOCTOR_OPTIONAL,
                   "only the quoting service of this machine needs it (group sgx_prv)");
    look_at_device(report, "device: enclaves for guests", "/dev/sgx_vepc", R_OK | W_OK,
                   ALC_DOCTOR_OPTIONAL, "only needed to pass SGX on to virtual machines");
}
