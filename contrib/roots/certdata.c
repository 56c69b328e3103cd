/* certdata prints the roots in a libnssckbi.so in the form of the certdata.txt
 * from which it was compiled, for where a library is at hand and its source is
 * not. See README beside this file.
 *
 *   gcc -O1 -Wall -Wextra -Werror -o certdata certdata.c -ldl
 *   ./certdata /usr/lib/x86_64-linux-gnu/libnssckbi.so > certdata.txt
 *
 * It asks by PKCS#11 2.40, of which only what it uses is declared here. An
 * attribute that it has no name for is printed by its number: the reader then
 * does not trust the certificate, as it might be limited in a way not known.
 *
 * Exit status: 0 done, 1 anything wrong; the output is then of no use. */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long ulong_t; /* CK_ULONG */

typedef struct { unsigned char major, minor; } version_t;
typedef struct {
	version_t cryptoki;
	unsigned char manufacturer[32];
	ulong_t flags;
	unsigned char description[32];
	version_t library;
} info_t;
typedef struct { ulong_t type; void *value; ulong_t length; } attribute_t;

/* CK_FUNCTION_LIST, the first 29 of its 68 members in their order. */
typedef void (*other_t)(void);
typedef struct {
	version_t version;
	ulong_t (*initialize)(void *);
	ulong_t (*finalize)(void *);
	ulong_t (*get_info)(info_t *);
	other_t get_function_list;
	ulong_t (*get_slot_list)(unsigned char present, ulong_t *slots, ulong_t *count);
	other_t slots_and_tokens[7];
	ulong_t (*open_session)(ulong_t slot, ulong_t flags, void *, void *, ulong_t *session);
	ulong_t (*close_session)(ulong_t session);
	other_t sessions[6];
	other_t objects[4];
	ulong_t (*get_attribute_value)(ulong_t session, ulong_t object, attribute_t *, ulong_t count);
	other_t set_attribute_value;
	ulong_t (*find_objects_init)(ulong_t session, attribute_t *, ulong_t count);
	ulong_t (*find_objects)(ulong_t session, ulong_t *objects, ulong_t max, ulong_t *count);
	ulong_t (*find_objects_final)(ulong_t session);
} functions_t;

enum {
	max_objects = 10000,
	max_value = 1 << 16, /* bytes of one attribute */
	max_slots = 8,
};
static const ulong_t unavailable = ~0UL;
static const ulong_t serial_session = 4; /* CKF_SERIAL_SESSION */
static const ulong_t nss = 0xCE534350UL; /* CKA_NSS, CKO_NSS and CKT_NSS alike */

static void die(const char *format, ...) {
	va_list args;
	va_start(args, format);
	fputs("certdata: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static void must(ulong_t rv, const char *what) {
	if (rv != 0)
		die("%s: the library answers 0x%lx", what, rv);
}

/* Names of numbers. Offsets of NSS are relative to CKA_NSS, CKO_NSS, CKT_NSS. */
typedef struct { ulong_t number; int of_nss; const char *name; } name_t;

static const name_t classes[] = {
	{1, 0, "CKO_CERTIFICATE"}, {0x0b, 0, "CKO_TRUST"},
	{3, 1, "CKO_NSS_TRUST"}, {4, 1, "CKO_NSS_BUILTIN_ROOT_LIST"}, {0, 0, NULL},
};

static const name_t trusts[] = { /* values of CK_TRUST */
	{0, 0, "CKT_TRUST_UNKNOWN"}, {1, 0, "CKT_TRUSTED"}, {2, 0, "CKT_TRUST_ANCHOR"},
	{3, 0, "CKT_NOT_TRUSTED"}, {4, 0, "CKT_TRUST_MUST_VERIFY_TRUST"},
	{1, 1, "CKT_NSS_TRUSTED"}, {2, 1, "CKT_NSS_TRUSTED_DELEGATOR"},
	{3, 1, "CKT_NSS_MUST_VERIFY_TRUST"}, {5, 1, "CKT_NSS_TRUST_UNKNOWN"},
	{10, 1, "CKT_NSS_NOT_TRUSTED"}, {11, 1, "CKT_NSS_VALID_DELEGATOR"}, {0, 0, NULL},
};

typedef enum { boolean, class, kind, label, octets, date, trust, hash } form_t;
typedef struct { ulong_t number; int of_nss; form_t form; const char *name; } known_t;

/* In the order of certdata.txt. The names of NSS's own trust attributes are the
 * older ones: newer headers write CKA_NSS_TRUST_… for the same numbers. */
static const known_t attributes[] = {
	{0x000, 0, class, "CKA_CLASS"}, {0x001, 0, boolean, "CKA_TOKEN"},
	{0x002, 0, boolean, "CKA_PRIVATE"}, {0x170, 0, boolean, "CKA_MODIFIABLE"},
	{0x003, 0, label, "CKA_LABEL"}, {0x080, 0, kind, "CKA_CERTIFICATE_TYPE"},
	{0x2064, 1, octets, "CKA_CERT_SHA1_HASH"}, {0x2065, 1, octets, "CKA_CERT_MD5_HASH"},
	{0x08c, 0, hash, "CKA_NAME_HASH_ALGORITHM"}, {0x635, 0, octets, "CKA_HASH_OF_CERTIFICATE"},
	{0x101, 0, octets, "CKA_SUBJECT"}, {0x102, 0, label, "CKA_ID"},
	{0x081, 0, octets, "CKA_ISSUER"}, {0x082, 0, octets, "CKA_SERIAL_NUMBER"},
	{0x011, 0, octets, "CKA_VALUE"}, {2, 1, label, "CKA_NSS_EMAIL"},
	{34, 1, boolean, "CKA_NSS_MOZILLA_CA_POLICY"},
	{35, 1, date, "CKA_NSS_SERVER_DISTRUST_AFTER"}, {36, 1, date, "CKA_NSS_EMAIL_DISTRUST_AFTER"},
	{0x2008, 1, trust, "CKA_TRUST_SERVER_AUTH"}, {0x2009, 1, trust, "CKA_TRUST_CLIENT_AUTH"},
	{0x200b, 1, trust, "CKA_TRUST_EMAIL_PROTECTION"}, {0x200a, 1, trust, "CKA_TRUST_CODE_SIGNING"},
	{0x2010, 1, boolean, "CKA_TRUST_STEP_UP_APPROVED"},
	{0x62c, 0, trust, "CKA_PKCS_TRUST_SERVER_AUTH"}, {0x62d, 0, trust, "CKA_PKCS_TRUST_CLIENT_AUTH"},
	{0x62e, 0, trust, "CKA_PKCS_TRUST_CODE_SIGNING"}, {0x62f, 0, trust, "CKA_PKCS_TRUST_EMAIL_PROTECTION"},
	{0, 0, octets, NULL},
};

static const char *name_of(const name_t *names, ulong_t number) {
	for (; names->name != NULL; names++)
		if (number == (names->of_nss ? nss : 0) + names->number)
			return names->name;
	return NULL;
}

static void print_octets(const unsigned char *value, ulong_t length) {
	printf(" MULTILINE_OCTAL");
	for (ulong_t i = 0; i < length; i++)
		printf("%s\\%03o", i % 16 == 0 ? "\n" : "", value[i]);
	printf("\nEND\n");
}

/* print_label keeps the value on one line; a quotation mark, a backslash and a
 * control character are written as \x and two digits. */
static void print_label(const unsigned char *value, ulong_t length) {
	printf(" UTF8 \"");
	for (ulong_t i = 0; i < length && value[i] != 0; i++)
		printf(value[i] < 0x20 || value[i] == 0x7f || value[i] == '"' || value[i] == '\\' ? "\\x%02X" : "%c", value[i]);
	printf("\"\n");
}

static void print_boolean(const char *name, const unsigned char *value, ulong_t length) {
	if (length != 1 || value[0] > 1)
		die("%s is no boolean", name);
	printf(" CK_BBOOL %s\n", value[0] ? "CK_TRUE" : "CK_FALSE");
}

static ulong_t number_in(const char *name, const unsigned char *value, ulong_t length) {
	ulong_t number;
	if (length != sizeof number)
		die("%s is no number", name);
	memcpy(&number, value, sizeof number);
	return number;
}

static void print_named(const char *name, const char *type, const char *text) {
	if (text == NULL)
		die("%s has a value without a name; the library is newer than this program", name);
	printf(" %s %s\n", type, text);
}

static void print_attribute(const known_t *a, const unsigned char *value, ulong_t length) {
	printf("%s", a->name);
	switch (a->form) {
	case boolean:
		print_boolean(a->name, value, length);
		break;
	case class:
		print_named(a->name, "CK_OBJECT_CLASS", name_of(classes, number_in(a->name, value, length)));
		break;
	case kind:
		print_named(a->name, "CK_CERTIFICATE_TYPE", number_in(a->name, value, length) == 0 ? "CKC_X_509" : NULL);
		break;
	case trust:
		print_named(a->name, "CK_TRUST", name_of(trusts, number_in(a->name, value, length)));
		break;
	case hash:
		print_named(a->name, "CK_MECHANISM_TYPE", number_in(a->name, value, length) == 0x250 ? "CKM_SHA256"
			: number_in(a->name, value, length) == 0x220 ? "CKM_SHA_1" : NULL);
		break;
	case label:
		print_label(value, length);
		break;
	case date:
		if (length == 1)
			print_boolean(a->name, value, length);
		else
			print_octets(value, length);
		break;
	case octets:
		print_octets(value, length);
		break;
	}
}

/* get reads one attribute into value; 0 if the object has none. */
static int get(functions_t *f, ulong_t session, ulong_t object, ulong_t type, unsigned char *value, ulong_t *length) {
	attribute_t a = {type, NULL, 0};
	ulong_t rv = f->get_attribute_value(session, object, &a, 1);
	if (rv == 0x12 || rv == 0x11 || (rv == 0 && a.length == unavailable)) /* CKR_ATTRIBUTE_TYPE_INVALID, _SENSITIVE */
		return 0;
	must(rv, "C_GetAttributeValue");
	if (a.length > max_value)
		die("attribute 0x%lx has %lu bytes", type, a.length);
	a.value = value;
	must(f->get_attribute_value(session, object, &a, 1), "C_GetAttributeValue");
	*length = a.length;
	return 1;
}

static int has_name(ulong_t type) {
	for (const known_t *a = attributes; a->name != NULL; a++)
		if (type == (a->of_nss ? nss : 0) + a->number)
			return 1;
	return 0;
}

/* print_others prints what stands in a range of attributes without a name. */
static void print_others(functions_t *f, ulong_t session, ulong_t object, ulong_t first, ulong_t last) {
	static unsigned char value[max_value];
	ulong_t length;
	for (ulong_t type = first; type <= last; type++)
		if (!has_name(type) && get(f, session, object, type, value, &length)) {
			printf("CKA_NUMBER_%lX", type);
			print_octets(value, length);
		}
}

static void print_object(functions_t *f, ulong_t session, ulong_t object) {
	static unsigned char value[max_value];
	ulong_t length;
	printf("\n");
	for (const known_t *a = attributes; a->name != NULL; a++)
		if (get(f, session, object, (a->of_nss ? nss : 0) + a->number, value, &length))
			print_attribute(a, value, length);
	print_others(f, session, object, 0, 0x6ff);
	print_others(f, session, object, nss, nss + 0xff);
	print_others(f, session, object, nss + 0x2000, nss + 0x20ff);
}

static ulong_t print_slot(functions_t *f, ulong_t slot) {
	static ulong_t objects[max_objects];
	ulong_t session, count = 0, got = 0;
	must(f->open_session(slot, serial_session, NULL, NULL, &session), "C_OpenSession");
	must(f->find_objects_init(session, NULL, 0), "C_FindObjectsInit");
	do {
		must(f->find_objects(session, objects + count, max_objects - count, &got), "C_FindObjects");
		count += got;
	} while (got > 0 && count < max_objects);
	if (count >= max_objects)
		die("over %d objects", max_objects);
	must(f->find_objects_final(session), "C_FindObjectsFinal");
	for (ulong_t i = 0; i < count; i++)
		print_object(f, session, objects[i]);
	must(f->close_session(session), "C_CloseSession");
	return count;
}

int main(int argc, char **argv) {
	if (argc != 2)
		die("give the path of a libnssckbi.so");
	void *library = dlopen(argv[1], RTLD_NOW);
	if (library == NULL)
		die("%s", dlerror());
	ulong_t (*get_functions)(functions_t **);
	*(void **)&get_functions = dlsym(library, "C_GetFunctionList");
	functions_t *f = NULL;
	if (get_functions == NULL || get_functions(&f) != 0 || f == NULL || f->version.major != 2)
		die("%s: no library of PKCS#11 2.x", argv[1]);
	must(f->initialize(NULL), "C_Initialize");
	info_t info;
	must(f->get_info(&info), "C_GetInfo");
	ulong_t slots[max_slots], count = max_slots, objects = 0;
	must(f->get_slot_list(1, slots, &count), "C_GetSlotList");
	printf("# NSS builtins %d.%02d\n", info.library.major, info.library.minor);
	printf("#\n# This Source Code Form is subject to the terms of the Mozilla Public\n"
	       "# License, v. 2.0. If a copy of the MPL was not distributed with this\n"
	       "# file, You can obtain one at https://mozilla.org/MPL/2.0/.\nBEGINDATA\n");
	for (ulong_t i = 0; i < count; i++)
		objects += print_slot(f, slots[i]);
	must(f->finalize(NULL), "C_Finalize");
	if (objects == 0)
		die("%s: no object in it", argv[1]);
	if (fflush(stdout) != 0 || ferror(stdout))
		die("the output cannot be written");
	return 0;
}
