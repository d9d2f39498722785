// H2Session: one HTTP/2 connection, bytes ⇄ streams of messages (RFC 9113), without a socket.
//
//   bytes in  ─ Receive() ─►  Handler: OnRequest, OnData, OnEnd, OnClosed …
//   bytes out ◄─ Output() ─   SubmitHead(), OfferData(), End(), Reset() …
//
// Both roles are here: kServer towards clients, kClient towards upstreams. A head that the
// handler is given has passed the same checks as one of HTTP/1 (http/h2_fields.h) and reads
// the same. Payload is never held here: incoming payload is a view that counts against the
// peer's windows until Consume(); outgoing payload is taken only as far as the windows allow
// it to be framed into the output at once.
//
// Thread: one. Borrows: the pool and the handler, which outlive it.
// Handler methods are called only from inside Receive() and Dispatch(), and may call anything
//   here but those two and the destructor.
// Ends: the destructor calls nothing; streams still open are forgotten.
// Limits: 100 streams; windows of 64 KiB a stream, and a connection 1 MiB (server) or as much as all its
//   streams together (client: their readers are strangers to each other); heads by HeadLimits;
//   kHeldMost bytes of heads and trailers over all open streams; output up to kOutputRoom and one frame,
//   beside what heads and control frames add; counts of everything by http/h2_limits.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "base/clock.h"
#include "http/h2_end.h"
#include "http/h2_fields.h"
#include "http/h2_frame_reader.h"
#include "http/h2_limits.h"
#include "http/h2_stream.h"
#include "http/head.h"
#include "http/refusal.h"

struct nghttp2_session;

namespace gatebook::http {

enum class H2Role : uint8_t { kServer, kClient };

// A request that was turned down at the border, or that never came whole. Views are valid during the call.
struct H2Refused {
  Refusal refusal{};
  // True: the stream is open and waits for an answer (SubmitHead with an error status, at best with its end);
  // its body is dropped unseen. OnClosed follows. False: it was malformed (RFC 9113 §8.1.1) and has been
  // reset; nothing follows.
  bool answerable = false;
  // What was read before the fault, unchecked but for the method being a token and the target beginning with
  // '/'.
  std::string_view method;
  std::string_view target;
};

// How a stream ended.
struct H2Closing {
  uint32_t code = 0;        // H2Error, or whatever number the peer sent; 0 when it ended in good order
  bool by_peer = false;     // the peer reset it
  bool connection = false;  // the whole connection is over
  // Set where the peer's message broke a rule after its head was accepted: kLengthMismatch, kBadTrailer.
  std::optional<Refusal> refusal;
};

class H2Handler {
 public:
  // Server. `head` is valid until OnClosed has returned. `ended`: no body follows and OnEnd is not called.
  virtual void OnRequest(int32_t, const RequestHead& /*head*/, bool /*ended*/) {}
  virtual void OnRefused(int32_t, const H2Refused&) {}

  // Client. The peer's first settings are here: what it allows is known.
  virtual void OnSettings() {}
  // Client. An interim head is valid during the call, a final one until OnClosed has returned, or as long as
  // whoever KeepHead() gave it to keeps it.
  virtual void OnInterim(int32_t, const ResponseHead&) {}
  virtual void OnResponse(int32_t, const ResponseHead&, bool /*ended*/) {}

  // Payload; `piece` is valid during the call. Give its bytes back with Consume(), at once or when they went
  // on.
  virtual void OnData(int32_t, std::string_view /*piece*/) = 0;
  // Valid during the call; OnEnd follows. Those that may not stand in trailers are marked hop_by_hop.
  virtual void OnTrailers(int32_t, std::span<const Field>) {}
  // The peer's message is whole, with exactly as many bytes as it said.
  virtual void OnEnd(int32_t) = 0;
  // The stream is gone: exactly once for each that was announced by OnRequest, an answerable OnRefused, or
  // SubmitRequest(); nothing of it comes afterwards, and calls for it do nothing.
  virtual void OnClosed(int32_t, const H2Closing&) = 0;

  // A stream that OfferData() took too little from may go on. Only from Dispatch().
  virtual void OnWritable(int32_t) = 0;
  // The peer takes no more requests beyond `last` (client), or will send none (server). It may come twice.
  virtual void OnGoaway(int32_t /*last*/, uint32_t /*code*/) {}

 protected:
  ~H2Handler() = default;
};

struct H2Options {
  H2Role role = H2Role::kServer;
  HeadLimits limits;
  std::string_view scheme = "https";  // what :scheme has to say; a literal
  bool extended_connect = true;       // server: advertise RFC 8441
};

// A request to send (client). Fields marked hop_by_hop are left out, but for "te: trailers"; so are Host, and
// names or values that are no fields. Names are written in lower case.
struct H2Request {
  std::string_view method;
  std::string_view scheme;
  std::string_view authority;
  std::string_view path;  // with its query
  std::span<const Field> fields;
  std::span<const Field> more;  // behind them
  // With CONNECT: what is to follow (RFC 8441 §4), where AllowsConnect().
  std::string_view protocol = {};
};

class H2Session {
 public:
  static constexpr uint32_t kStreamsMost = 100;
  static constexpr int32_t kStreamWindow = 64 * 1024;
  static constexpr int32_t kConnectionWindow = 1024 * 1024;
  static constexpr size_t kOutputRoom = 48 * 1024;
  static constexpr size_t kHeldMost = 512 * 1024;
  static constexpr size_t kControlMost = 16 * 1024;
  static constexpr size_t kTurn = 16 * 1024;  // payload of one stream while others wait

  H2Session(const H2Options& options, H2Pool& pool, H2Handler& handler);
  ~H2Session();
  H2Session(const H2Session&) = delete;
  H2Session& operator=(const H2Session&) = delete;

  // Takes bytes of the connection, any number, and tells the handler of what they complete. False: the
  // connection is over, end() says why, OnClosed was called for every stream, and what Output() holds is the
  // last to be sent.
  bool Receive(std::string_view bytes, base::SteadyTime now);

  // Tells what became due outside Receive(): OnClosed for streams that ended, then OnWritable in turn to
  // streams that wait, while there is room. To be called after answers were handed in and after output was
  // dropped. True: it told somebody something.
  bool Dispatch();

  // Whether Dispatch() would tell anybody anything now: whoever stops calling it before it returns false, to
  // let others have their turn, has to come back.
  bool IsDue() const;

  // The bytes to send, of all streams; what was shown is not changed afterwards, only added to. Drop what was
  // sent.
  std::string_view Output();
  void DropOutput(size_t bytes);
  bool HasOutput() const { return !output_.IsEmpty(); }
  // Whether payload is taken at all. Heads are taken without room too, but nobody should begin answers then.
  bool HasRoom() const { return output_.size() < kOutputRoom; }

  // True: nothing will be read or told any more. Send Output() and close.
  bool IsOver() const { return end_.has_value(); }
  H2End end() const { return *end_; }  // requires IsOver()

  // Windows: n bytes of this stream's payload went on. No harm for a stream that is gone.
  void Consume(int32_t stream, size_t bytes);

  // Answers (server). An interim head (1xx but 101) may come any number of times before the final one. From
  // `head` its status, fields that are not hop_by_hop, and content_length where has_content_length; then
  // `more`. Names are written in lower case; what is no field is left out. `end`: there is no body. False:
  // the stream is gone, or has had its final head.
  bool SubmitHead(int32_t stream, const ResponseHead& head, std::span<const Field> more, bool end);

  // Requests (client). Nothing: the peer allows no more streams now, or none ever (CanSubmit() tells). `end`:
  // no body.
  std::optional<int32_t> SubmitRequest(const H2Request& request, bool end);
  // Whether the peer takes extended CONNECT.
  bool AllowsConnect() const;
  // Inside OnResponse(): its head, whose fields now live in `text`.
  ResponseHead KeepHead(int32_t stream, H2HeadText& text);
  // False: this connection will not take another request; open a new one.
  bool CanSubmit() const;
  uint32_t FreeStreams() const;  // requests that SubmitRequest() would take now

  // Payload behind the final head (server) or the request (client): returns how many bytes were taken, all
  // that the windows, the room in the output and the turns of other streams allow. Less than all: OnWritable
  // will come. `end`: the message ends behind `piece`; done if all was taken, else offer the rest with `end`
  // again.
  size_t OfferData(int32_t stream, std::string_view piece, bool end = false);
  void End(int32_t stream);
  // Whether the peer's windows let a byte of payload through, be there room or not.
  bool HasWindow(int32_t stream) const;
  // An answer was given up because its windows stay closed: too many, and the connection ends.
  void ChargeStall() { Charge(H2Budget::kStall); }
  // Ends the message with trailers; as of fields, see H2Request. Pseudo-fields can't be among them.
  void SubmitTrailers(int32_t stream, std::span<const Field> fields);
  // RST_STREAM. After a whole answer to a request that is not read to its end: kNoError (RFC 9113 §8.1).
  void Reset(int32_t stream, H2Error code);

  // Graceful end (RFC 9113 §6.8): Begin says that the end is near and still takes requests; Finish, a round
  // trip later, takes no new ones. IsOver() as soon as the last stream has closed.
  void BeginDrain();
  void FinishDrain();
  // Ends now, with the code of this row.
  void Abort(H2End end);
  // The stream whose head or trailers have begun and are not whole: nothing else can come meanwhile. 0: none.
  int32_t HeadUnderWay() const;
  // Waits no longer for them: a request is told as refused, and the connection ends.
  void GiveUpHead();

  // Streams that were announced and not yet told to be closed.
  size_t open_streams() const { return streams_.size(); }
  // Requests (server) or responses (client) that came and went in good order.
  uint64_t completed() const { return completed_; }

 private:
  struct Callbacks;  // the library's, each a step into a member below
  struct LibraryEnd {
    void operator()(nghttp2_session* session) const;
  };
  // What the library told within one call, to be passed on when it has returned.
  struct Event {
    enum class Kind : uint8_t {
      kRequest,
      kRefused,
      kInterim,
      kResponse,
      kData,
      kTrailers,
      kEnd,
      kClosed,
      kGoaway,
      kSettings
    };
    Kind kind{};
    H2Stream* stream = nullptr;
    std::string_view piece = {};  // kData: into the bytes that Receive() was given
    int32_t id = 0;               // kRefused: its stream; kGoaway: the last one
    uint32_t code = 0;
    H2Fault fault = {};
  };
  // Streams that are gone, as far as it matters how.
  class Departed {
   public:
    void Add(int32_t id, bool ended_by_peer);
    bool Holds(int32_t id, bool ended_by_peer) const;

   private:
    std::array<int32_t, 32> ids_{};  // negative: ended by us
    size_t next_ = 0;
  };

  // Streams are numbered upwards: what was passed over can't be opened any more. Of such gaps, which no
  // ordinary client leaves, the newest is known.
  class Numbering {
   public:
    // False: HEADERS would open a stream in the gap.
    bool Admits(int32_t id);

   private:
    int32_t newest_ = -1;
    int32_t gap_begin_ = 0;
    int32_t gap_end_ = 0;
  };

  // Input, h2_session_input.cc.
  void Feed(std::string_view bytes);
  std::optional<H2End> Judge(const H2FrameHead& frame);
  void DeliverEvents();
  void EndIfDue();
  void Deliver(const Event& event);
  void OnBlockBegin(int32_t id, bool first);
  bool OnField(std::string_view name, std::string_view value);
  void OnBlockEnd(int32_t id, bool ended);
  void EndRequest(int32_t id, bool ended);
  void EndResponse(H2Stream& stream, bool ended);
  void EndTrailers(H2Stream& stream, bool ended);
  void RefuseRequest(H2Stream& stream, const H2Fault& fault, bool ended);
  void OnPiece(int32_t id, std::string_view piece);
  void OnPeerEnd(H2Stream& stream);
  void Break(H2Stream& stream, Refusal refusal, bool ended);
  void OnLibraryClosed(int32_t id, uint32_t code);

  // Output, h2_session_output.cc.
  void Pump();
  void AppendFrame(std::string_view frame);
  bool PatchEnd(int32_t id);
  void Wait(H2Stream& stream);
  void OnFrameSent(int32_t id, H2FrameType type, uint8_t flags, uint32_t code);
  void BeginFields(size_t name_bytes);
  void AddField(std::string_view name, std::string_view value);
  void AddFields(std::span<const Field> fields);
  void AfterEnd(H2Stream& stream);
  void WriteGoaway(H2End end);

  void SubmitSettings();
  H2Stream* Find(int32_t id) const;
  H2Stream& AddStream(int32_t id);
  void RemoveStream(H2Stream& stream);
  void Charge(H2Budget budget);
  void Finish(H2End end);

  const H2Options options_;
  H2Pool& pool_;
  H2Handler& handler_;
  base::Buffer output_;
  std::unique_ptr<nghttp2_session, LibraryEnd> library_;
  base::SteadyTime now_{};
  std::optional<H2End> end_;
  std::optional<H2End> pending_end_;  // decided inside a call of the library

  // Input.
  size_t preface_left_ = 0;
  H2FrameReader frames_;
  H2Limits limits_;
  Departed departed_;
  Numbering numbering_;
  std::unique_ptr<H2Fields> block_;  // the field block under way
  bool block_open_ = false;          // more of it is to come
  bool block_heeded_ = false;        // somebody waits for it
  int32_t last_begun_ = 0;           // the newest stream whose request was begun to be read
  H2HeadText passing_text_;          // of an interim head or of trailers
  ResponseHead passing_head_;
  std::vector<Event> events_;
  bool delivering_ = false;

  std::vector<std::unique_ptr<H2Stream>> streams_;
  size_t held_heads_ = 0;  // bytes, with trailers
  uint64_t completed_ = 0;

  // Output.
  std::vector<H2Stream*> waiting_;  // in the order of their turns
  struct NameValues;
  std::unique_ptr<NameValues> name_values_;  // of the field block being written
  std::string names_;                        // in lower case, that they point into
  size_t control_pending_ = 0;               // bytes of control frames that nobody took yet
  int32_t patchable_stream_ = 0;  // whose DATA frame is the last in the output and was not shown yet
  size_t patchable_size_ = 0;     // of that frame
  int32_t ending_ = 0;            // End() is under way for it
  bool own_reset_ = false;        // Reset() is under way
  bool goaway_sent_ = false;      // with an error
  bool goaway_received_ = false;
  bool settings_received_ = false;
  bool drain_finishing_ = false;
};

}  // namespace gatebook::http
