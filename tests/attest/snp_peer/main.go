// SPDX-License-Identifier: Apache-2.0

// snp_peer judges an SEV-SNP report and its VCEK, and both with each single bit changed, with another
// verifier, and prints the verdicts as snp_verdicts.c does.
//
//	snp_peer REPORT VCEK TIME STEP BITS
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/google/go-sev-guest/abi"
	pb "github.com/google/go-sev-guest/proto/sevsnp"
	"github.com/google/go-sev-guest/validate"
	"github.com/google/go-sev-guest/verify"
)

func isAccepted(report, vcek []byte, now time.Time, debug bool) bool {
	parsed, err := abi.ReportToProto(report)
	if err != nil || len(report) != abi.ReportSize {
		return false
	}
	attestation := &pb.Attestation{
		Report:           parsed,
		CertificateChain: &pb.CertificateChain{VcekCert: vcek},
	}
	if verify.SnpAttestation(attestation, &verify.Options{DisableCertFetching: true, Now: now}) != nil {
		return false
	}
	return validate.SnpAttestation(attestation, &validate.Options{
		GuestPolicy:               abi.SnpPolicy{SMT: true, CXLAllowed: true, Debug: debug},
		PermitProvisionalFirmware: true,
	}) == nil
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, "snp_peer:", err)
		os.Exit(2)
	}
	return value
}

func word(accepted bool) string {
	if accepted {
		return "accepted"
	}
	return "refused"
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	report, vcek := must(os.ReadFile(os.Args[1])), must(os.ReadFile(os.Args[2]))
	now := must(time.Parse(time.RFC3339, os.Args[3]))
	step, bits := must(strconv.Atoi(os.Args[4])), must(strconv.Atoi(os.Args[5]))
	fmt.Fprintln(out, "debug", word(isAccepted(report, vcek, now, true)))
	fmt.Fprintln(out, "no-debug", word(isAccepted(report, vcek, now, false)))
	names, files := []string{"report", "vcek"}, [][]byte{report, vcek}
	for i, bytes := range files {
		for at := 0; at < len(bytes); at += step {
			for count := 0; count < bits; count++ {
				bit := (at + count) % 8
				bytes[at] ^= 1 << bit
				fmt.Fprintf(out, "%s %#x %d %s\n", names[i], at, bit,
					word(isAccepted(report, vcek, now, true)))
				bytes[at] ^= 1 << bit
			}
		}
	}
}
