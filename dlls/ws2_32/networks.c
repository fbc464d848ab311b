/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What iphlpapi.dll says of the adapters (see networks.h).  It is loaded on demand, since it
 * imports this DLL.  Takes no lock.
 */
#include "networks.h"

#include <iphlpapi.h>

#define FIRST_SIZE 16384
#define FLAGS      (GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST | GAA_FLAG_INCLUDE_GATEWAYS)

typedef ULONG(WINAPI *get_adapters_fn)(ULONG, ULONG, PVOID, IP_ADAPTER_ADDRESSES *, ULONG *);

static IP_ADAPTER_ADDRESSES *load_adapters(void)
{
    HMODULE module = LoadLibraryW(L"iphlpapi.dll");
    get_adapters_fn get_adapters =
        module ? (get_adapters_fn)(void *)GetProcAddress(module, "GetAdaptersAddresses") : NULL;
    IP_ADAPTER_ADDRESSES *adapters = NULL, *larger;
    ULONG size = FIRST_SIZE, error = ERROR_BUFFER_OVERFLOW;

    while (get_adapters && error == ERROR_BUFFER_OVERFLOW) {
        if (!(larger = realloc(adapters, size)))
            break;
        adapters = larger;
        error = get_adapters(AF_UNSPEC, FLAGS, NULL, adapters, &size);
    }
    if (error) {
        free(adapters);
        return NULL;
    }
    return adapters;
}

/* FNV-1a, good enough to see a change. */
static uint64_t mix(uint64_t state, const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;

    for (size_t i = 0; i < size; i++)
        state = (state ^ byte[i]) * 0x100000001b3ull;
    return state;
}

static uint64_t state_of(const IP_ADAPTER_ADDRESSES *adapter)
{
    uint64_t state = mix(0xcbf29ce484222325ull, &adapter->OperStatus, sizeof(adapter->OperStatus));
    const IP_ADAPTER_UNICAST_ADDRESS *address;

    for (address = adapter->FirstUnicastAddress; address; address = address->Next)
        state = mix(state, address->Address.lpSockaddr, (size_t)address->Address.iSockaddrLength);
    return state;
}

static void copy_text(WCHAR *to, size_t size, const WCHAR *from)
{
    swprintf(to, size, L"%ls", from ? from : L"");
}

/* "NLA first attempts to identify a logical network by its DNS domain name", else by the adapter.
 */
static void fill(struct network *network, const IP_ADAPTER_ADDRESSES *adapter)
{
    const WCHAR *domain = adapter->DnsSuffix;

    memset(network, 0, sizeof(*network));
    snprintf(network->adapter, sizeof(network->adapter), "%s", adapter->AdapterName);
    copy_text(network->name, ARRAYSIZE(network->name),
              domain && *domain ? domain : adapter->FriendlyName);
    copy_text(network->comment, ARRAYSIZE(network->comment), adapter->Description);
    network->type = adapter->IfType;
    network->speed =
        adapter->TransmitLinkSpeed > MAXDWORD ? MAXDWORD : (DWORD)adapter->TransmitLinkSpeed;
    network->gateway = adapter->FirstGatewayAddress != NULL;
    network->state = state_of(adapter);
}

static bool leads_somewhere(const IP_ADAPTER_ADDRESSES *adapter)
{
    return adapter->OperStatus == IfOperStatusUp && adapter->IfType != IF_TYPE_SOFTWARE_LOOPBACK &&
           adapter->FirstUnicastAddress;
}

DWORD networks_load(struct network_list *list)
{
    IP_ADAPTER_ADDRESSES *adapters = load_adapters(), *adapter;
    size_t count = 0;

    memset(list, 0, sizeof(*list));
    if (!adapters)
        return WSASYSNOTREADY;
    for (adapter = adapters; adapter; adapter = adapter->Next)
        count += leads_somewhere(adapter);
    if (!(list->entries = calloc(count + 1, sizeof(*list->entries)))) {
        free(adapters);
        return WSA_NOT_ENOUGH_MEMORY;
    }
    for (adapter = adapters; adapter; adapter = adapter->Next)
        if (leads_somewhere(adapter))
            fill(&list->entries[list->count++], adapter);
    free(adapters);
    return 0;
}

void networks_free(struct network_list *list)
{
    free(list->entries);
    memset(list, 0, sizeof(*list));
}

const struct network *networks_find(const struct network_list *list, const char *adapter)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->entries[i].adapter, adapter))
            return &list->entries[i];
    return NULL;
}

uint64_t networks_state(const struct network_list *list)
{
    uint64_t state = list->count;

    for (size_t i = 0; i < list->count; i++) {
        state = mix(state, list->entries[i].adapter, strlen(list->entries[i].adapter));
        state = mix(state, &list->entries[i].state, sizeof(list->entries[i].state));
    }
    return state;
}
