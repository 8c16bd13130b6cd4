#include "domain_index.hpp"

#include <flowrun/error.hpp>

#include <limits>

namespace flowrun::mixers {

void DomainIndex::append(std::string_view domain_name, std::uint32_t length, std::int64_t copies) {
  const std::int64_t row = row_count_++;
  if (length == 0) ++empty_count_;
  if (length == 0 || copies <= 0) return;
  Domain& to = domain(domain_name);
  if (copies > std::numeric_limits<std::uint32_t>::max() - static_cast<std::int64_t>(to.rows.size()))
    throw Error(Code::kUnsupported, "domain '" + to.name + "' has more than 4294967295 documents, repetitions included");
  to.rows.insert(to.rows.end(), static_cast<std::size_t>(copies), row);
  to.lengths.insert(to.lengths.end(), static_cast<std::size_t>(copies), length);
  to.token_count += copies * length;
  to.unique_tokens += length;
  ++to.document_count;
}

Domain& DomainIndex::domain(std::string_view name) {
  if (recent_ < domains_.size() && domains_[recent_].name == name) return domains_[recent_];
  const auto [it, is_first] = numbers_.emplace(name, domains_.size());
  if (is_first) domains_.push_back({it->first, {}, {}, 0, 0, 0});
  recent_ = it->second;
  return domains_[recent_];
}

bool DomainIndex::has(std::string_view domain) const { return numbers_.contains(std::string(domain)); }

void DomainIndex::save(IndexWriter& out) const {
  out.number(row_count_);
  out.number(empty_count_);
  out.number(static_cast<std::int64_t>(domains_.size()));
  for (const Domain& domain : domains_) {
    out.text(domain.name);
    out.number(domain.token_count);
    out.number(domain.document_count);
    out.number(domain.unique_tokens);
    out.values(domain.rows);
    out.values(domain.lengths);
  }
}

DomainIndex DomainIndex::load(IndexReader& in) {
  DomainIndex index;
  index.row_count_ = in.count();
  index.empty_count_ = in.count();
  for (std::int64_t left = in.count(); left > 0; --left) {
    Domain& domain = index.domain(in.text());
    domain.token_count = in.count();
    domain.document_count = in.count();
    domain.unique_tokens = in.count();
    domain.rows = in.values<std::int64_t>();
    domain.lengths = in.values<std::uint32_t>();
  }
  return index;
}

}  // namespace flowrun::mixers
