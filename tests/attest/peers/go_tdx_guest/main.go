// SPDX-License-Identifier: Apache-2.0
//
// The Go module go-tdx-guest as a verifier for tests/attest/agree.py, which says what comes in and
// goes out. It accepts nothing but UpToDate.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-tdx-guest/verify"
)

// Members of the collateral's one object.
type collateral map[string]string

func chainHeader(name, pem string) map[string][]string {
	return map[string][]string{name: {url.QueryEscape(pem)}}
}

func signed(name, text, signature, more string) []byte {
	return []byte(fmt.Sprintf(`{"%s":%s,"signature":"%s"%s}`, name, text, signature, more))
}

// The module compares the platform's FMSPC as text in small letters with the service's, which has
// capitals, and so would refuse most platforms. The signature must be over the service's text; but
// Go's JSON takes names in letters of any case, the last of two winning, so that a second TCB info
// behind the signed one can say the same in small letters.
func smallLetters(tcbInfo string) (string, error) {
	var info struct {
		Fmspc string `json:"fmspc"`
	}
	err := json.Unmarshal([]byte(tcbInfo), &info)
	return fmt.Sprintf(`,"TCBINFO":{"fmspc":"%s"}`, strings.ToLower(info.Fmspc)), err
}

// Get answers as the provisioning service would.
func (c collateral) Get(address string) (map[string][]string, []byte, error) {
	switch {
	case strings.Contains(address, "/tdx/certification/v4/tcb?"):
		more, err := smallLetters(c["tcb_info"])
		return chainHeader("Tcb-Info-Issuer-Chain", c["tcb_info_issuer_chain"]),
			signed("tcbInfo", c["tcb_info"], c["tcb_info_signature"], more), err
	case strings.HasSuffix(address, "/tdx/certification/v4/qe/identity"):
		return chainHeader("Sgx-Enclave-Identity-Issuer-Chain", c["qe_identity_issuer_chain"]),
			signed("enclaveIdentity", c["qe_identity"], c["qe_identity_signature"], ""), nil
	case strings.Contains(address, "/sgx/certification/v4/pckcrl?"):
		list, err := hex.DecodeString(c["pck_crl"])
		return chainHeader("Sgx-Pck-Crl-Issuer-Chain", c["pck_crl_issuer_chain"]), list, err
	case strings.HasSuffix(address, ".der") || strings.HasSuffix(address, ".crl"):
		list, err := hex.DecodeString(c["root_ca_crl"])
		return nil, list, err
	}
	return nil, nil, errors.New("no answer for " + address)
}

// The module reads sizes of the quote without asking whether they lie in it.
func judge(quote []byte, options verify.Options) (err error) {
	defer func() {
		if failure := recover(); failure != nil {
			err = fmt.Errorf("panic: %v", failure)
		}
	}()
	return verify.RawTdxQuote(quote, &options)
}

func run(arguments []string) error {
	if len(arguments) < 3 {
		return errors.New("usage: COLLATERAL SECONDS [ROOT]")
	}
	now, err := strconv.ParseInt(arguments[2], 10, 64)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(arguments[1])
	if err != nil {
		return err
	}
	members := collateral{}
	if err := json.Unmarshal(text, &members); err != nil {
		return err
	}
	options := verify.Options{CheckRevocations: true, GetCollateral: true, Getter: members,
		Now: time.Unix(now, 0)}
	if len(arguments) > 3 {
		der, err := os.ReadFile(arguments[3])
		if err != nil {
			return err
		}
		root, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		options.TrustedRoots = x509.NewCertPool()
		options.TrustedRoots.AddCert(root)
	}
	input := bufio.NewReader(os.Stdin)
	output := bufio.NewWriter(os.Stdout)
	defer output.Flush()
	for {
		var size uint32
		if err := binary.Read(input, binary.LittleEndian, &size); err != nil {
			return nil
		}
		quote := make([]byte, size)
		if _, err := io.ReadFull(input, quote); err != nil {
			return err
		}
		if err := judge(quote, options); err != nil {
			fmt.Fprintf(output, "refused %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Fprintln(output, "UpToDate")
		}
	}
}

func main() {
	if err := run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
