// Discreet: a visit as it is shown to those who have not said why they want to know who it was.
//
// Of addresses the network (/24 of IPv4, /48 of IPv6), of names the domain that somebody registered with a
// registry (Public Suffix List, without what companies have put there). This machine's own addresses
// (loopback) name no visitor: they stay whole, with their names.
//
// Thread: any; pure.
#pragma once

#include <string>
#include <string_view>

#include "base/ip_address.h"
#include "logger/visit_record.h"

namespace gatebook::review {

// "203.0.113.0/24", "2001:db8:1::/48"; what is no address becomes empty.
std::string ShortAddress(std::string_view ip);
// "host-7.dyn.example.co.uk": "example.co.uk". Empty where nobody's domain can be seen.
std::string DomainOf(std::string_view name);
void MakeDiscreet(logger::StoredVisit* visit);

// Whether a network is no finer than what is shown without a reason.
bool IsCoarse(const base::Cidr& network);

}  // namespace gatebook::review
