package webhook

import (
	"fmt"
	"net/http"
	"strconv"
)

// unknownType is what a request without a usable Content-Type is answered.
// Monitoring of long standing looks for these words.
const unknownType = "Unknown Content-Type in request headers"

// alive answers a POST without Content-Type, before any authentication: who sets
// up a webhook sends a blank one to see whether it is there, and looks for these
// three lines.
func (x *exchange) alive() {
	length := "None"
	if x.r.ContentLength > 0 || x.r.Header.Get("Content-Length") != "" {
		length = strconv.FormatInt(x.r.ContentLength, 10)
	}
	fields := 0
	for _, values := range x.r.Header {
		fields += len(values)
	}
	if x.r.Host != "" { // it is not among the others
		fields++
	}
	log := x.settings.Log
	log.Info(fmt.Sprintf("Request from %s,scheme=%s,path=%s", x.clientText(), scheme(x.r, x.settings.Proxies), clip(x.r.URL.Path)))
	log.Info(fmt.Sprintf("| len(headers)=%d,len(body)=%s", fields, length))
	log.Info("| Unknown Content-Type: None")
	x.fail(http.StatusBadRequest, unknownType)
}
